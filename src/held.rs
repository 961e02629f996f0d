//! The addresses of an environment whose loss nothing makes good: what `envs/NAME.lock` lists, so that none is let go of
//! by accident.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use terraform::{Mode, Root};

use crate::config::EnvConfig;

/// The types that hold data, and what is lost with one.
const DATA: [(&str, &str); 24] = [
    ("aws_backup_vault", "the recovery points in it"),
    ("aws_cloudtrail_event_data_store", "the events in it"),
    ("aws_cloudwatch_log_group", "the log events in it"),
    ("aws_db_instance", "the database"),
    ("aws_dynamodb_table", "the items in it"),
    ("aws_dynamodb_table_replica", "the replica's items"),
    ("aws_ebs_volume", "the volume"),
    ("aws_ecr_repository", "the images in it"),
    ("aws_efs_file_system", "the files in it"),
    ("aws_elasticache_replication_group", "what is cached"),
    ("aws_kinesis_stream", "the records in it"),
    ("aws_kms_external_key", "whatever it has encrypted"),
    ("aws_kms_key", "whatever it has encrypted"),
    ("aws_kms_replica_key", "whatever only it can decrypt there"),
    ("aws_rds_cluster", "the database"),
    ("aws_rds_global_cluster", "the database"),
    ("aws_route53_zone", "the records in it"),
    ("aws_s3_bucket", "the objects in it"),
    ("aws_s3_object", "the object"),
    ("aws_secretsmanager_secret", "the secret"),
    ("aws_secretsmanager_secret_version", "the secret's value"),
    ("aws_sqs_queue", "the messages in it"),
    ("aws_ssm_parameter", "the parameter's value"),
    ("aws_timestreamwrite_table", "the records in it"),
];

/// What is lost with a resource of a type, if it holds data.
#[must_use]
pub fn data_in(kind: &str) -> Option<&'static str> {
    DATA.iter().find(|(of, _)| *of == kind).map(|(_, what)| *what)
}

/// Data, or an address that others have let in.
fn lost_with(kind: &str) -> Option<&'static str> {
    if kind == "aws_eip" { Some("the address that partners let in") } else { data_in(kind) }
}

/// The version of the file's form.
const VERSION: u32 = 1;

/// Addresses, and what is lost with each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held(BTreeMap<String, String>);

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "//", default)]
    comment: String,
    version: u32,
    holds: BTreeMap<String, String>,
}

impl Held {
    /// What a module holds.
    #[must_use]
    pub fn of(root: &Root) -> Self {
        let managed = root.nodes().iter().map(|node| node.address()).filter(|of| of.mode() == Mode::Managed);
        Self(managed.filter_map(|of| Some((of.to_string(), lost_with(of.kind())?.to_owned()))).collect())
    }

    /// What a file lists.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if file.version != VERSION {
            return Err(format!("version {}, and this txnr reads version {VERSION}", file.version));
        }
        Ok(Self(file.holds))
    }

    /// The text of the file of an environment.
    #[must_use]
    pub fn text(&self, environment: &str) -> String {
        let comment = format!(
            "Written by `txnr synth --env {environment}`. Do not edit: an address leaves this list by [[moved]] or [[removed]] \
             in {environment}.toml."
        );
        let file = File { comment, version: VERSION, holds: self.0.clone() };
        // Texts and numbers are always JSON.
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// What a module that holds `built` lets go of, though the environment file says nothing of it.
    #[must_use]
    pub fn vanished(&self, built: &Self, config: &EnvConfig) -> Vec<(&str, &str)> {
        let moved = config.moved.iter().map(|moved| moved.from.as_str());
        let said: BTreeSet<&str> =
            moved.chain(config.removed.iter().map(|removed| removed.address.as_str())).collect();
        let vanished = |address: &str| !built.0.contains_key(address) && !said.contains(address);
        let all = self.0.iter().map(|(address, lost)| (address.as_str(), lost.as_str()));
        all.filter(|(address, _)| vanished(address)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::synth;

    fn config(text: &str) -> EnvConfig {
        EnvConfig::for_test(text)
    }

    fn held(config: &EnvConfig) -> Held {
        Held::of(&synth(config).expect("a module"))
    }

    #[test]
    fn tables_keys_and_addresses_are_held_and_roles_are_not() {
        let held = held(&config("network.nat = \"per-az\"\n"));
        for address in ["aws_dynamodb_table.records", "aws_dynamodb_table.audit"] {
            assert!(held.0.contains_key(address), "{address} of {held:?}");
        }
        assert!(held.0.keys().any(|address| address.starts_with("aws_kms_key.")), "{held:?}");
        assert!(held.0.keys().any(|address| address.starts_with("aws_eip.")), "{held:?}");
        assert!(!held.0.keys().any(|address| address.starts_with("aws_iam_")), "{held:?}");
    }

    #[test]
    fn the_file_reads_back() {
        let held = held(&config(""));
        assert_eq!(Held::parse(&held.text("test")).as_ref(), Ok(&held));
        for wrong in
            ["", "[]", "{}", r#"{"version": 2, "holds": {}}"#, r#"{"version": 1, "holds": {}, "x": 1}"#]
        {
            assert!(Held::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn another_store_lets_go_of_both_tables_until_the_file_says_so() {
        let before = held(&config(""));
        let tables = ["aws_dynamodb_table.audit", "aws_dynamodb_table.records"];
        let other = "[data]\nstore = \"postgres\"\n";
        let vanished = |text: &str| {
            let config = config(text);
            let built = held(&config);
            let vanished = before.vanished(&built, &config);
            vanished.into_iter().map(|(address, _)| address.to_owned()).collect::<Vec<_>>()
        };
        assert!(vanished("").is_empty());
        let lost = vanished(other);
        assert!(tables.iter().all(|table| lost.iter().any(|of| of == table)), "{lost:?}");
        let said: String = lost
            .iter()
            .map(|address| {
                format!("[[removed]]\naddress = \"{address}\"\ndestroy = false\nreason = \"kept\"\n")
            })
            .collect();
        assert!(vanished(&format!("{other}{said}")).is_empty());
    }
}
