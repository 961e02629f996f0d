//! Checks that ARNs lie in the partition of the environment's region: none can be reached from another.

use crate::config::file::EnvFile;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{Secrets, Sidecar};
use crate::config::value::{Partition, SecretArn, ServiceName, VariableName};
use crate::config::{KmsKeyArn, ParameterArn, SecretSettings};
use std::collections::BTreeMap;

/// Notes every ARN of another partition.
pub(super) fn check(file: &EnvFile, problems: &mut Problems) {
    let Some(partition) = file.region.as_ref().map(|region| region.partition()) else { return };
    let key = |key: &str| KeyPath::from(key);
    let mut arns: Vec<(KeyPath, &str)> = Vec::new();
    arns.extend(
        file.iam.permissions_boundary.iter().map(|arn| (key("iam.permissions_boundary"), arn.as_str())),
    );
    arns.extend(file.iam.terraform_role.iter().map(|arn| (key("iam.terraform_role"), arn.as_str())));
    arns.extend(file.iam.pipeline_role.iter().map(|arn| (key("iam.pipeline_role"), arn.as_str())));
    arns.extend(file.github.oidc_provider.iter().map(|arn| (key("github.oidc_provider"), arn.as_str())));
    arns.extend(file.state.kms_key.iter().map(|arn| (key("state.kms_key"), arn.as_str())));
    let operators = file.iam.operators.iter().enumerate();
    arns.extend(operators.map(|(at, arn)| (key("iam.operators").index(at), arn.as_str())));
    let administrators = file.kms.administrators.iter().enumerate();
    arns.extend(administrators.map(|(at, arn)| (key("kms.administrators").index(at), arn.as_str())));
    let keys = file.kms.keys.given();
    arns.extend(keys.map(|(purpose, arn)| (key("kms.keys").key(purpose), arn.as_str())));
    arns.extend(file.certificate.arn.iter().map(|arn| (key("certificate.arn"), arn.as_str())));
    let audit_key = file.storage.audit_bucket.iter().filter_map(|bucket| bucket.key.as_ref());
    arns.extend(audit_key.map(|arn| (key("storage.audit_bucket.key"), arn.as_str())));
    let readers = file.secrets.readers.iter().enumerate();
    arns.extend(readers.map(|(at, arn)| (key("secrets.readers").index(at), arn.as_str())));
    for secret in contract::Secret::ALL {
        let function = file.secrets.of(secret).rotation_function.iter();
        arns.extend(function.map(|arn| (key(Secrets::key(secret)).key("rotation_function"), arn.as_str())));
    }
    arns.extend(of_tasks(&key("service"), &file.service.secrets, &file.service.sidecars));
    let main = &file.service;
    arns.extend(further_arns(&key("service"), &main.parameters, &main.generated_secrets, &main.secret_keys));
    let policies = main.task_policies.iter().enumerate();
    arns.extend(policies.map(|(at, arn)| (key("service.task_policies").index(at), arn.as_str())));
    for (name, service) in &file.services {
        let table = key("services").key(name.as_str());
        arns.extend(of_tasks(&table, &service.secrets, &service.sidecars));
        let (parameters, generated) = (&service.parameters, &service.generated_secrets);
        arns.extend(further_arns(&table, parameters, generated, &service.secret_keys));
        let policies = service.task_policies.iter().enumerate();
        arns.extend(policies.map(|(at, arn)| (table.below("task_policies").index(at), arn.as_str())));
    }
    for (path, arn) in arns {
        note(path, arn, partition, problems);
    }
}

/// The secrets of a service's tasks.
fn of_tasks<'f>(
    table: &KeyPath,
    secrets: &'f BTreeMap<VariableName, SecretArn>,
    sidecars: &'f BTreeMap<ServiceName, Sidecar>,
) -> Vec<(KeyPath, &'f str)> {
    let named = |path: KeyPath, secrets: &'f BTreeMap<VariableName, SecretArn>| {
        secrets.iter().map(move |(name, arn)| (path.clone().key(name.as_str()), arn.as_str()))
    };
    let beside = sidecars.iter().flat_map(|(name, sidecar)| {
        named(table.below("sidecars").key(name.as_str()).key("secrets"), &sidecar.secrets)
    });
    named(table.below("secrets"), secrets).chain(beside).collect()
}

/// The parameters of a service's tasks, the functions that rotate its secrets, and the keys of both.
fn further_arns<'f>(
    table: &KeyPath,
    parameters: &'f BTreeMap<VariableName, ParameterArn>,
    generated: &'f BTreeMap<VariableName, SecretSettings>,
    keys: &'f [KmsKeyArn],
) -> Vec<(KeyPath, &'f str)> {
    let parameters =
        parameters.iter().map(|(name, arn)| (table.below("parameters").key(name.as_str()), arn.as_str()));
    let functions = generated.iter().filter_map(|(name, settings)| {
        let path = table.below("generated_secrets").key(name.as_str()).key("rotation_function");
        Some((path, settings.rotation_function.as_ref()?.as_str()))
    });
    let keys = keys.iter().enumerate().map(|(at, arn)| (table.below("secret_keys").index(at), arn.as_str()));
    parameters.chain(functions).chain(keys).collect()
}

fn note(path: KeyPath, arn: &str, partition: Partition, problems: &mut Problems) {
    let theirs = arn.strip_prefix("arn:").and_then(|rest| rest.split(':').next());
    if let Some(theirs) = theirs.filter(|theirs| *theirs != partition.as_str()) {
        let what = format!("an ARN of the partition {theirs}, while the region lies in {partition}");
        problems
            .error(path, what, format!("an ARN that begins with `arn:{partition}:`"))
            .because_of(&["region"]);
    }
}
