//! PostgreSQL in RDS.

use crate::config::{EnvConfig, PostgresRunsOn};

/// The name of the instance or cluster, from which RDS composes the names of log groups.
#[must_use]
pub fn identifier(config: &EnvConfig) -> String {
    config.names.prefix().to_owned()
}

/// The log group that RDS exports a kind of PostgreSQL's log to.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html>
#[must_use]
pub fn log_group(config: &EnvConfig, kind: &str) -> String {
    let of = match config.data.postgres.as_ref().map(|postgres| &postgres.runs_on) {
        Some(PostgresRunsOn::Aurora(_)) => "cluster",
        Some(PostgresRunsOn::Instance(_)) | None => "instance",
    };
    format!("/aws/rds/{of}/{}/{kind}", identifier(config))
}
