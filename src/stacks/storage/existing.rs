//! Buckets that exist already: what is delivered to them, and what their policies must allow for it.

use aws::data;
use aws::document::policy::{Policy, Statement};
use aws::kind::{ResourcePolicy, S3BucketArn};
use terraform::kind::Text;
use terraform::{Expr, Meta, Stack, set};

use super::{Bucket, policy, what};
use crate::config::{BucketKind, BucketName, EnvConfig, ExistingAccessBucket, ExistingAuditBucket};

/// The bucket of logs. One of another account is not looked up: its policy need not let anybody here look at it.
pub(super) fn audit(stack: &mut Stack<'_>, config: &EnvConfig, there: &ExistingAuditBucket) -> Bucket {
    let foreign = there.account.as_ref().is_some_and(|account| *account != config.account_id);
    let bucket = if foreign {
        named(config, &there.name)
    } else {
        found(stack, config, BucketKind::Audit, &there.name)
    };
    outputs(stack, BucketKind::Audit, &bucket, |arn| policy::required_audit(config, arn));
    bucket
}

/// The bucket of access logs, which S3 delivers only to one of the same account and region.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html>
pub(super) fn access(stack: &mut Stack<'_>, config: &EnvConfig, there: &ExistingAccessBucket) -> Bucket {
    let bucket = found(stack, config, BucketKind::Access, &there.name);
    outputs(stack, BucketKind::Access, &bucket, |arn| policy::required_access(config, arn));
    bucket
}

fn named(config: &EnvConfig, name: &BucketName) -> Bucket {
    Bucket {
        id: Expr::external(name.to_string()),
        arn: Expr::external(format!("arn:{}:s3:::{name}", config.partition())),
        policy: None,
    }
}

fn found(stack: &mut Stack<'_>, config: &EnvConfig, kind: BucketKind, name: &BucketName) -> Bucket {
    let here = Expr::<Text>::itself("region").equals(config.region.to_string());
    let what = format!("The bucket storage.{}_bucket does not lie in {}.", kind.as_str(), config.region);
    let bucket = stack.add_with(
        kind.as_str(),
        Meta::new().postcondition(here, what),
        data::S3Bucket { bucket: set(name.to_string()) },
    );
    Bucket { id: bucket.id(), arn: bucket.arn(), policy: None }
}

fn outputs(
    stack: &mut Stack<'_>,
    kind: BucketKind,
    bucket: &Bucket,
    required: impl Fn(&Expr<S3BucketArn>) -> Vec<Statement<ResourcePolicy>>,
) {
    stack.output(&format!("{}_bucket", kind.as_str()), what(kind), bucket.id());
    stack.output(
        &format!("required_{}_bucket_statements", kind.as_str()),
        "What the policy of the bucket must say; its owner adds it.",
        Expr::<ResourcePolicy>::new(Policy::new(required(&bucket.arn))),
    );
}
