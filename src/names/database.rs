//! PostgreSQL in RDS.

use crate::config::{EnvConfig, PostgresRunsOn};

/// The log group that RDS exports a kind of PostgreSQL's log to; RDS composes its name from the database's.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html>
#[must_use]
pub fn log_group(config: &EnvConfig, kind: &str) -> String {
    log_group_of(config, config.database_identifier(), kind)
}

/// That log group of the databases that this one was restored from, whatever they are called. None, if it was not.
#[must_use]
pub fn earlier_log_groups(config: &EnvConfig, kind: &str) -> Option<String> {
    let restored = config.data.postgres.as_ref().is_some_and(|postgres| postgres.identifier.is_some());
    restored.then(|| log_group_of(config, "*", kind))
}

fn log_group_of(config: &EnvConfig, identifier: &str, kind: &str) -> String {
    let of = match config.data.postgres.as_ref().map(|postgres| &postgres.runs_on) {
        Some(PostgresRunsOn::Aurora(_)) => "cluster",
        Some(PostgresRunsOn::Instance(_)) | None => "instance",
    };
    format!("/aws/rds/{of}/{identifier}/{kind}")
}
