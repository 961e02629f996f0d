//! The role that plans: it sees settings and the state, and changes and reads nothing else.

use aws::document::policy::{Condition, Policy, Statement};
use aws::kind::{IdentityPolicy, TrustPolicy};
use terraform::kind::Text as TextKind;
use terraform::{Expr, Stack, text};

use super::role::{self, NewRole};
use super::state::Place;
use super::{ANYTHING, Platform, local, push};
use crate::config::{BucketKind, EnvConfig, WorkflowRole};

type Identity = Statement<IdentityPolicy>;

/// Builds the role. A pull request is anybody's who may write to the repository, and its code runs before anybody has
/// read it: so the role sees what a resource is set to, and the images, never a secret, an item, an object or a log line (PCI 7.2.5).
pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    trust: Policy<TrustPolicy>,
    platform: &Platform,
    place: &Place,
) {
    let purpose = WorkflowRole::Plan;
    let new = NewRole { purpose, description: "Plans, and changes nothing", trust, hours: 1 };
    let role = role::build(stack, config, new, None);
    let look = platform.services.iter().flat_map(|service| {
        service.read.iter().map(|action| format!("{}:{action}", service.name)).collect::<Vec<_>>()
    });
    let mut statements = vec![
        Identity::allow("SeeSettings", look.collect::<Vec<_>>(), ANYTHING),
        // Whether a bucket is there takes the right to list it: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
        Identity::allow("SeeBuckets", ["s3:ListBucket"], buckets(config)),
        Identity::allow("FindState", ["s3:ListBucket"], [place.bucket.arn()]),
        Identity::allow("ReadState", ["s3:GetObject"], [state_object(config, place)]),
        Identity::allow("DecryptState", ["kms:Decrypt"], [place.key.clone()]).when(through(config, "s3")),
    ];
    if let Some(table) = place.table.clone() {
        statements
            .push(Identity::allow("ReadChecksum", ["dynamodb:GetItem"], [table]).when(own_items(config)));
        statements.push(
            Identity::allow("DecryptChecksum", ["kms:Decrypt"], [place.key.clone()])
                .when(through(config, "dynamodb")),
        );
    }
    // The signature of what is to run is verified before anything is planned.
    statements.extend(push::look(config));
    // What is allowed by mistake later on stays denied.
    statements.push(Identity::deny(
        "NoSecrets",
        ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "ssm:GetParameter*"],
        ANYTHING,
    ));
    // What has been found is about weaknesses, and what has been sampled is somebody's request.
    statements.push(Identity::deny(
        "NoFindings",
        [
            "access-analyzer:GetFinding*",
            "access-analyzer:ListFindings*",
            "cloudtrail:GetQueryResults",
            "guardduty:GetFindings*",
            "guardduty:ListFindings",
            "inspector2:ListFinding*",
            "securityhub:GetFinding*",
            "securityhub:GetInsightResults",
            "shield:DescribeAttack*",
            "wafv2:GetSampledRequests",
        ],
        ANYTHING,
    ));
    role::policy(stack, &role, &local(config, "plan"), "plan", Policy::new(statements));
    stack.output(
        &format!("{}_role_arn", local(config, "plan")),
        format!("The role that pull requests plan {} with.", config.name),
        role.arn().text(),
    );
}

/// The environment's buckets, and those that it was given.
fn buckets(config: &EnvConfig) -> Vec<String> {
    let storage = &config.storage;
    let audit = storage.audit_bucket.iter().map(|bucket| bucket.name.to_string());
    let access = storage.access_bucket.iter().map(|bucket| bucket.name.to_string());
    let own = BucketKind::ALL.map(|kind| config.names.bucket(kind));
    own.into_iter()
        .chain(audit)
        .chain(access)
        .map(|name| format!("arn:{}:s3:::{name}", config.partition()))
        .collect()
}

/// The environment's own state.
pub(super) fn state_object(config: &EnvConfig, place: &Place) -> Expr<TextKind> {
    text![place.bucket.arn(), format!("/{}", config.state.key)]
}

/// The key of the state opens objects, and items of the lock table where there is one: DynamoDB uses the key in the name of
/// who asks. <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html>
pub(super) fn through(config: &EnvConfig, service: &str) -> Condition {
    let host = format!("{service}.{}.{}", config.state.region, config.partition().dns_suffix());
    Condition::string_equals("kms:ViaService", [host])
}

/// The items of the lock table that are about the environment's state: its lock and its checksum.
pub(super) fn own_items(config: &EnvConfig) -> Condition {
    Condition::for_all_values_string_equals("dynamodb:LeadingKeys", own_keys(config))
}

/// The keys of these items.
pub(super) fn own_keys(config: &EnvConfig) -> [String; 2] {
    let state = format!("{}/{}", config.state.bucket, config.state.key);
    let checksum = format!("{state}-md5");
    [state, checksum]
}
