//! Resolves `[state]`.

use crate::config::problem::Problems;
use crate::config::section::{State, StateFile};
use crate::config::value::{
    AccountId, BucketName, EnvName, KmsKeyRef, OrganizationName, ProjectName, Region, TableName,
};

/// The state's place, literal in every part: a backend block knows no expressions.
pub(super) fn resolve(
    file: StateFile,
    project: &ProjectName,
    environment: &EnvName,
    organization: &OrganizationName,
    account: &AccountId,
    region: &Region,
    problems: &mut Problems,
) -> Option<State> {
    let bucket = match file.bucket {
        Some(bucket) => Some(bucket),
        None => default_bucket(project, organization, account, problems),
    };
    let log_bucket = match (file.log_bucket, &bucket) {
        (Some(logs), _) => Some(logs),
        (None, Some(bucket)) => default_log_bucket(bucket, problems),
        (None, None) => None,
    };
    let state_region = file.region.unwrap_or_else(|| region.clone());
    let lock_table = file.lock_table.or_else(|| format!("{project}-tfstate-locks").parse::<TableName>().ok());
    let key_is_named = file.key.is_some();
    let object = file.key.or_else(|| format!("envs/{environment}/terraform.tfstate").parse().ok());
    let key = file.kms_key.or_else(|| format!("alias/{project}-tfstate").parse().ok());
    Some(State {
        bucket: bucket?,
        log_bucket: log_bucket?,
        key: object?,
        key_is_named,
        lock: file.lock,
        lock_table: lock_table?,
        kms_key_arn: key_arn(key?, account, &state_region)?,
        region: state_region,
    })
}

fn default_bucket(
    project: &ProjectName,
    organization: &OrganizationName,
    account: &AccountId,
    problems: &mut Problems,
) -> Option<BucketName> {
    let name = format!("{project}-tfstate-{organization}-{account}");
    let length = name.len();
    name.parse::<BucketName>()
        .map_err(|invalid| {
            let what = format!("the state bucket's name would have {length} characters");
            problems.error("organization", what, format!("`state.bucket` with {}", invalid.allowed));
        })
        .ok()
}

fn default_log_bucket(bucket: &BucketName, problems: &mut Problems) -> Option<BucketName> {
    let name = format!("{bucket}-logs");
    let length = name.len();
    name.parse::<BucketName>()
        .map_err(|invalid| {
            let what = format!("the name of the state bucket's log bucket would have {length} characters");
            problems.error("state.bucket", what, format!("`state.log_bucket` with {}", invalid.allowed));
        })
        .ok()
}

/// An alias becomes the ARN of that alias in the environment's account.
fn key_arn(key: KmsKeyRef, account: &AccountId, region: &Region) -> Option<KmsKeyRef> {
    if key.as_str().starts_with("arn:") {
        return Some(key);
    }
    format!("arn:{}:kms:{region}:{account}:{key}", region.partition()).parse().ok()
}
