//! What `service.contract` implies: the contract says what its service runs and where it keeps its records, and without it
//! there is none of that. A setting without an effect is a misunderstanding.

use crate::config::file::EnvFile;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{
    Alarms, BackupFile, Contract, DataFile, SecretSettings, Secrets, ServiceFile, StorageFile,
};

/// Notes what has no effect, and that `contract` is missing.
pub(super) fn check(file: &EnvFile, problems: &mut Problems) {
    match file.service.contract {
        Some(Contract::TxnReconcileApi) => check_given(file, problems),
        Some(Contract::None) => check_absent(file, problems),
        None => {
            problems.error(
                "service.contract",
                "`service.contract` is missing: nothing says what the main service runs",
                "under [service], `contract = \"txn-reconcile-api\"` if it is the reconciliation service, with its tables, \
                 bucket and secrets, as every file without this key meant; `contract = \"none\"` for any other container",
            );
        }
    }
}

/// The contract gives these.
fn check_given(file: &EnvFile, problems: &mut Problems) {
    let service = &file.service;
    let said = [
        ("command", !service.command.is_empty()),
        ("health_command", !service.health_command.is_empty()),
        ("task_policies", !service.task_policies.is_empty()),
        ("task_services", !service.task_services.is_empty()),
        ("tmp", service.tmp == Some(false)),
    ];
    for (key, _) in said.into_iter().filter(|(_, said)| *said) {
        problems
            .error(
                KeyPath::from("service").key(key),
                format!("the contract of txn-reconcile-api says what `{key}` is"),
                "remove the line, or say `contract = \"none\"` under [service] if this is another program",
            )
            .because_of(&["service.contract"]);
    }
}

/// These are about what the contract alone brings.
fn check_absent(file: &EnvFile, problems: &mut Problems) {
    if file.service.name == ServiceFile::default().name {
        problems
            .error(
                "service.name",
                format!("the service is called `{}`, which is another program's name", file.service.name),
                "under [service], `name` and its own: that of its image repository, its container and its tasks",
            )
            .because_of(&["service.contract"]);
    }
    let storage = StorageFile::default().statements_expire_days;
    let secret = SecretSettings::default();
    let said = [
        ("data", file.data != DataFile::default()),
        ("backup", file.backup != BackupFile::default()),
        (Secrets::key(contract::Secret::AdminKey), file.secrets.admin_key != secret),
        (Secrets::key(contract::Secret::SigningKey), file.secrets.signing_key != secret),
        ("storage.statements_expire_days", file.storage.statements_expire_days != storage),
        ("alarms.log_errors", file.alarms.log_errors != Alarms::default().log_errors),
    ];
    let mut note = |key: KeyPath| {
        problems
            .error(
                key,
                "nothing here has an effect: it is about what txn-reconcile-api keeps and logs",
                "remove it, or say `contract = \"txn-reconcile-api\"` under [service] if this is that service",
            )
            .because_of(&["service.contract"]);
    };
    for (key, _) in said.into_iter().filter(|(_, said)| *said) {
        note(KeyPath::from(key));
    }
    for (name, _) in file.services.iter().filter(|(_, service)| service.data_stores) {
        note(KeyPath::from("services").key(name.as_str()).key("data_stores"));
    }
    if file.detection.macie.enabled && file.detection.macie.buckets.is_empty() {
        problems
            .error(
                "detection.macie.enabled",
                "there is no bucket for Macie to look into",
                "buckets under `detection.macie.buckets`, or no Macie",
            )
            .because_of(&["service.contract", "detection.macie.buckets"]);
    }
}
