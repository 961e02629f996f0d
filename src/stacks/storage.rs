//! Buckets by kind: audit (Object Lock), config, access logs, artifacts, statements.
//!
//! Five, because their demands exclude each other: the audit bucket is under Object Lock, where neither AWS Config nor
//! S3's server access logs can be delivered; access logs of load balancer and buckets know SSE-S3 alone, where all else
//! is encrypted with a key of its own; and what the service keeps is none of the pipeline's.

use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::{KmsKeyArn, ResourcePolicy};
use aws::s3_bucket_lifecycle_configuration as lifecycle;
use aws::s3_bucket_object_lock_configuration as object_lock;
use aws::s3_bucket_ownership_controls as ownership;
use aws::s3_bucket_server_side_encryption_configuration as encryption;
use aws::s3_bucket_versioning as versioning;
use aws::{
    KmsKeyHandle, S3Bucket, S3BucketHandle, S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationHandle, S3BucketLogging, S3BucketObjectLockConfiguration,
    S3BucketObjectLockConfigurationHandle, S3BucketObjectLockConfigurationOptional,
    S3BucketOwnershipControls, S3BucketOwnershipControlsHandle, S3BucketPolicy, S3BucketPolicyHandle,
    S3BucketPublicAccessBlock, S3BucketPublicAccessBlockHandle, S3BucketPublicAccessBlockOptional,
    S3BucketServerSideEncryptionConfiguration, S3BucketServerSideEncryptionConfigurationHandle,
    S3BucketVersioning, S3BucketVersioningHandle,
};
use terraform::{Expr, Meta, NonEmpty, Stack, kind::Text, set, text};

use super::{detect, kms};
use crate::config::{BucketKind, EnvConfig, Part};

/// A bucket, and the policy that must stand before anything delivers to it.
pub struct Bucket {
    /// The bucket.
    pub bucket: S3BucketHandle,
    /// Its policy; whoever delivers to the bucket depends on it.
    pub policy: S3BucketPolicyHandle,
}

/// The buckets.
pub struct Outputs {
    /// Logs under Object Lock.
    pub audit: Bucket,
    /// Deliveries of AWS Config.
    pub config: Bucket,
    /// Access logs of the load balancer and of the other buckets.
    pub access: Bucket,
    /// What the pipeline produces.
    pub artifacts: Bucket,
    /// The service's statement files and match lists.
    pub statements: Bucket,
}

impl Outputs {
    /// Where a bucket of the service is.
    #[must_use]
    pub const fn of(&self, bucket: contract::Bucket) -> &Bucket {
        match bucket {
            contract::Bucket::Statements => &self.statements,
            contract::Bucket::Audit => &self.audit,
        }
    }
}

/// Where the buckets' own access logs lie in the access bucket.
const SERVER_ACCESS_PREFIX: &str = "s3-access";

/// Builds the buckets.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, keys: &kms::Outputs) -> Outputs {
    let access = bucket(stack, config, BucketKind::Access, None, None);
    let mut other = |kind, key| bucket(stack, config, kind, Some(key), Some(&access));
    Outputs {
        audit: other(BucketKind::Audit, &keys.logs),
        config: other(BucketKind::Config, &keys.logs),
        artifacts: other(BucketKind::Artifacts, &keys.artifacts),
        statements: other(BucketKind::Statements, &keys.data),
        access,
    }
}

/// One bucket and everything that belongs to it, each part after the one before: S3 answers `OperationAborted` when
/// they are made side by side (<https://github.com/hashicorp/terraform-provider-aws/issues/7628>). The access bucket
/// has no key, and no bucket to be logged to.
fn bucket(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    kind: BucketKind,
    key: Option<&KmsKeyHandle>,
    access: Option<&Bucket>,
) -> Bucket {
    let bucket = bare(stack, config, kind);
    let name = kind.as_str();
    let public = block_public_access(stack, name, &bucket);
    let ownership = own_objects(stack, name, &bucket, &public);
    let versioning = version(stack, name, &bucket, &ownership);
    let encryption = encrypt(stack, name, &bucket, key.map(KmsKeyHandle::arn), &versioning);
    let lifecycle = retain(stack, config, kind, &bucket, &encryption);
    // Before the policy, which everybody who delivers waits for: nothing is delivered unlocked.
    let meta = match kind {
        BucketKind::Audit => Meta::new().depends_on(&lock(stack, config, kind, &bucket, &lifecycle)),
        BucketKind::Config | BucketKind::Access | BucketKind::Artifacts | BucketKind::Statements => {
            Meta::new().depends_on(&lifecycle)
        }
    };
    let statements = policy(config, kind, &bucket, key);
    let policy = stack.add_with(
        kind.as_str(),
        meta,
        S3BucketPolicy { bucket: set(bucket.id()), policy: set(Policy::new(statements)) },
    );
    if let Some(access) = access {
        log_access(stack, kind, &bucket, access, &policy);
    }
    stack.output(&format!("{}_bucket", kind.as_str()), what(kind), bucket.id());
    Bucket { bucket, policy }
}

const fn what(kind: BucketKind) -> &'static str {
    match kind {
        BucketKind::Audit => "The bucket of logs that nobody can change.",
        BucketKind::Config => "The bucket that AWS Config delivers to.",
        BucketKind::Access => "The bucket of access logs of the load balancer and of the other buckets.",
        BucketKind::Artifacts => "The bucket for what the pipeline produces.",
        BucketKind::Statements => "The bucket of the service's statement files and match lists.",
    }
}

fn bare(stack: &mut Stack<'_>, config: &EnvConfig, kind: BucketKind) -> S3BucketHandle {
    stack.add_with(
        kind.as_str(),
        Meta::new().prevent_destroy(config.protection),
        S3Bucket {
            bucket: set(config.names.bucket(kind)),
            // Empties the bucket on destroy, past a lock in governance mode; one in compliance mode holds.
            force_destroy: set(!config.protection),
            // Can be turned on later, but not off: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>
            object_lock_enabled: set(kind == BucketKind::Audit),
            ..Default::default()
        },
    )
}

/// PCI 1.4.4, 7.3.3
pub fn block_public_access(
    stack: &mut Stack<'_>,
    name: &str,
    bucket: &S3BucketHandle,
) -> S3BucketPublicAccessBlockHandle {
    stack.add(
        name,
        S3BucketPublicAccessBlock {
            bucket: set(bucket.id()),
            optional: S3BucketPublicAccessBlockOptional {
                block_public_acls: set(true),
                block_public_policy: set(true),
                ignore_public_acls: set(true),
                restrict_public_buckets: set(true),
            },
        },
    )
}

/// No ACLs: who may do what stands in policies alone (PCI 2.2.6).
pub fn own_objects(
    stack: &mut Stack<'_>,
    name: &str,
    bucket: &S3BucketHandle,
    after: &S3BucketPublicAccessBlockHandle,
) -> S3BucketOwnershipControlsHandle {
    stack.add_with(
        name,
        Meta::new().depends_on(after),
        S3BucketOwnershipControls {
            bucket: set(bucket.id()),
            rule: ownership::Rule { object_ownership: set("BucketOwnerEnforced") },
        },
    )
}

/// PCI 10.3.4: what was overwritten or deleted can be seen and had back.
pub fn version(
    stack: &mut Stack<'_>,
    name: &str,
    bucket: &S3BucketHandle,
    after: &S3BucketOwnershipControlsHandle,
) -> S3BucketVersioningHandle {
    stack.add_with(
        name,
        Meta::new().depends_on(after),
        S3BucketVersioning {
            bucket: set(bucket.id()),
            versioning_configuration: versioning::VersioningConfiguration {
                status: set("Enabled"),
                optional: Default::default(),
            },
            optional: Default::default(),
        },
    )
}

/// PCI 3.5.1, with a bucket key, which spares a call to KMS for every object.
pub fn encrypt(
    stack: &mut Stack<'_>,
    name: &str,
    bucket: &S3BucketHandle,
    key: Option<Expr<KmsKeyArn>>,
    after: &S3BucketVersioningHandle,
) -> S3BucketServerSideEncryptionConfigurationHandle {
    use encryption::{ApplyServerSideEncryptionByDefault, ApplyServerSideEncryptionByDefaultOptional, Rule};
    let bucket_key_enabled = key.as_ref().map(|_| set(true));
    let default = match key {
        Some(key) => ApplyServerSideEncryptionByDefault {
            sse_algorithm: set("aws:kms"),
            optional: ApplyServerSideEncryptionByDefaultOptional { kms_master_key_id: set(key) },
        },
        // <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html>
        None => {
            ApplyServerSideEncryptionByDefault { sse_algorithm: set("AES256"), optional: Default::default() }
        }
    };
    let rule = Rule { apply_server_side_encryption_by_default: set(default), bucket_key_enabled };
    stack.add_with(
        name,
        Meta::new().depends_on(after),
        S3BucketServerSideEncryptionConfiguration {
            bucket: set(bucket.id()),
            rule: NonEmpty::one(rule),
            optional: Default::default(),
        },
    )
}

/// PCI 3.2.1, 10.5.1: at hand for three months, kept for twelve, then gone.
fn retain(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    kind: BucketKind,
    bucket: &S3BucketHandle,
    after: &S3BucketServerSideEncryptionConfigurationHandle,
) -> S3BucketLifecycleConfigurationHandle {
    use lifecycle::{AbortIncompleteMultipartUpload, Expiration, Filter, NoncurrentVersionExpiration, Rule};
    let storage = &config.storage;
    let expire_days = match kind {
        BucketKind::Statements => storage.statements_expire_days,
        BucketKind::Audit | BucketKind::Config | BucketKind::Access | BucketKind::Artifacts => {
            storage.expire_days
        }
    };
    let rule = Rule {
        id: set("retain"),
        status: set("Enabled"),
        optional: lifecycle::RuleOptional {
            // Every object; the provider wants it said.
            filter: vec![Filter::default()],
            transition: transitions(config, kind),
            // Removes the delete marker as well that it leaves behind in a versioned bucket.
            expiration: vec![Expiration { days: set(expire_days), ..Default::default() }],
            // A locked version stays until its lock has run out.
            noncurrent_version_expiration: vec![NoncurrentVersionExpiration {
                noncurrent_days: set(storage.noncurrent_expire_days),
                optional: Default::default(),
            }],
            abort_incomplete_multipart_upload: vec![AbortIncompleteMultipartUpload {
                days_after_initiation: set(7),
            }],
            ..Default::default()
        },
    };
    stack.add_with(
        kind.as_str(),
        Meta::new().depends_on(after),
        S3BucketLifecycleConfiguration {
            bucket: set(bucket.id()),
            rule: NonEmpty::one(rule),
            optional: Default::default(),
        },
    )
}

/// Logs move to cheaper classes; artifacts and statements are read until they expire. So are the audit log's anchors in
/// the audit bucket: S3 moves nothing of less than 128 KiB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html>
fn transitions(config: &EnvConfig, kind: BucketKind) -> Vec<lifecycle::Transition> {
    let move_to = |class: &'static str, days: u32| lifecycle::Transition {
        storage_class: set(class),
        optional: lifecycle::TransitionOptional { days: set(days), ..Default::default() },
    };
    if matches!(kind, BucketKind::Artifacts | BucketKind::Statements) {
        return Vec::new();
    }
    let mut transitions = vec![move_to("STANDARD_IA", config.storage.infrequent_access_days)];
    transitions.extend(config.storage.archive_days.map(|days| move_to("GLACIER", days)));
    transitions
}

/// PCI 10.3.2, 10.5.1: what is delivered cannot be changed, nor deleted before its time.
fn lock(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    kind: BucketKind,
    bucket: &S3BucketHandle,
    after: &S3BucketLifecycleConfigurationHandle,
) -> S3BucketObjectLockConfigurationHandle {
    let lock = config.storage.object_lock;
    stack.add_with(
        kind.as_str(),
        Meta::new().depends_on(after),
        S3BucketObjectLockConfiguration {
            bucket: set(bucket.id()),
            optional: S3BucketObjectLockConfigurationOptional {
                rule: set(object_lock::Rule {
                    default_retention: object_lock::DefaultRetention {
                        mode: set(lock.mode.as_str()),
                        days: set(lock.days),
                        ..Default::default()
                    },
                }),
                ..Default::default()
            },
        },
    )
}

/// PCI 10.2.1: who read or changed what in the bucket.
fn log_access(
    stack: &mut Stack<'_>,
    kind: BucketKind,
    bucket: &S3BucketHandle,
    access: &Bucket,
    after: &S3BucketPolicyHandle,
) {
    stack.add_with(
        kind.as_str(),
        Meta::new().depends_on(after).depends_on(&access.policy),
        S3BucketLogging {
            bucket: set(bucket.id()),
            target_bucket: set(access.bucket.id()),
            target_prefix: set(format!("{SERVER_ACCESS_PREFIX}/{}/", kind.as_str())),
            optional: Default::default(),
        },
    );
}

/// A bucket has one policy, so it must know everybody who delivers to the bucket.
fn policy(
    config: &EnvConfig,
    kind: BucketKind,
    bucket: &S3BucketHandle,
    key: Option<&KmsKeyHandle>,
) -> Vec<Statement<ResourcePolicy>> {
    let mut all = transport(bucket);
    all.extend(encryption_is_ours(bucket, key.map(KmsKeyHandle::arn)));
    match kind {
        BucketKind::Audit => {
            all.extend(logs_are_kept(config, kind, bucket));
            all.extend(flow_logs(config, bucket));
            all.extend(trail(config, bucket));
            all.extend(findings(config, bucket));
        }
        BucketKind::Config => {
            all.extend(logs_are_kept(config, kind, bucket));
            all.extend(recorder(config, bucket));
        }
        BucketKind::Access => {
            all.extend(logs_are_kept(config, kind, bucket));
            all.extend(load_balancer(config, bucket));
            all.push(server_access(config, bucket));
        }
        // The roles' own policies say who may do what there.
        BucketKind::Artifacts | BucketKind::Statements => {}
    }
    all
}

/// Everything in a bucket.
pub fn objects(bucket: &S3BucketHandle) -> Expr<Text> {
    text![bucket.arn(), "/*"]
}

/// Nothing but TLS, and none before 1.2 (PCI 4.2.1).
pub fn transport(bucket: &S3BucketHandle) -> Vec<Statement<ResourcePolicy>> {
    let deny = |sid: &'static str, condition| {
        let all = [bucket.arn().text(), objects(bucket)];
        Statement::<ResourcePolicy>::deny(sid, Principal::Anyone, ["s3:*"], all).when(condition)
    };
    vec![
        deny("TlsOnly", Condition::bool("aws:SecureTransport", false)),
        deny("TlsIsCurrent", Condition::numeric_less_than("s3:TlsVersion", ["1.2"])),
    ]
}

/// What is written under a key of somebody else's is lost to us (PCI 3.5.1, 10.3.2): no key but the bucket's own, and
/// none that comes with the request.
pub fn encryption_is_ours(
    bucket: &S3BucketHandle,
    key: Option<Expr<KmsKeyArn>>,
) -> Vec<Statement<ResourcePolicy>> {
    let deny = |sid: &'static str| {
        Statement::<ResourcePolicy>::deny(sid, Principal::Anyone, ["s3:PutObject"], [objects(bucket)])
    };
    let customer = "s3:x-amz-server-side-encryption-customer-algorithm";
    let mut all = vec![deny("NoKeyOfTheCallers").when(Condition::null(customer, false))];
    if let Some(key) = key {
        // A request that names no key gets the bucket's own.
        let named = "s3:x-amz-server-side-encryption-aws-kms-key-id";
        all.push(
            deny("NoOtherKey")
                .when(Condition::null(named, false))
                .when(Condition::string_not_equals(named, [key])),
        );
    }
    all
}

/// PCI 10.3.1, 10.3.2: nobody deletes logs, and the platform's own roles, whose doings the logs are about, do not read
/// them; reviewers have roles of their own. The service verifies its audit log by the anchors that it left there, and
/// reads these alone. The lifecycle still deletes: no bucket policy binds it
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html>).
fn logs_are_kept(
    config: &EnvConfig,
    kind: BucketKind,
    bucket: &S3BucketHandle,
) -> Vec<Statement<ResourcePolicy>> {
    let deny = |sid: &'static str, actions: [&'static str; 2]| {
        Statement::<ResourcePolicy>::deny(sid, Principal::Anyone, actions, [objects(bucket)])
    };
    let mut all = Vec::new();
    if config.protection {
        all.push(deny("NobodyDeletes", ["s3:DeleteObject", "s3:DeleteObjectVersion"]));
    }
    let role = |path: &str| {
        let (partition, account) = (config.partition(), &config.account_id);
        format!("arn:{partition}:iam::{account}:role/{path}{}", config.names.of("*"))
    };
    let unread = deny("PlatformDoesNotRead", ["s3:GetObject", "s3:GetObjectVersion"])
        .when(Condition::arn_like("aws:PrincipalArn", [role(""), role("*/")]));
    let anchors = || text![bucket.arn(), format!("/{}*", contract::Bucket::Audit.prefix())];
    all.push(if kind == BucketKind::Audit { unread.except([anchors()]) } else { unread });
    all
}

fn from_account(config: &EnvConfig) -> Condition {
    Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()])
}

/// Where AWS services put what they deliver for this account.
fn deliveries(config: &EnvConfig, bucket: &S3BucketHandle) -> Expr<Text> {
    text![bucket.arn(), format!("/AWSLogs/{}/*", config.account_id)]
}

/// Word for word what AWS would otherwise append to the policy behind Terraform's back.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html>
fn flow_logs(config: &EnvConfig, bucket: &S3BucketHandle) -> Vec<Statement<ResourcePolicy>> {
    if !config.network.flow_logs.s3 {
        return Vec::new();
    }
    let service = || Principal::service("delivery.logs.amazonaws.com");
    let source = || Condition::arn_like("aws:SourceArn", [config.arn("logs", "*")]);
    let write = [deliveries(config, bucket)];
    vec![
        Statement::<ResourcePolicy>::allow("AWSLogDeliveryWrite", service(), ["s3:PutObject"], write)
            .when(from_account(config))
            .when(bucket_owner_controls())
            .when(source()),
        Statement::<ResourcePolicy>::allow(
            "AWSLogDeliveryAclCheck",
            service(),
            ["s3:GetBucketAcl", "s3:ListBucket"],
            [bucket.arn()],
        )
        .when(from_account(config))
        .when(source()),
    ]
}

fn bucket_owner_controls() -> Condition {
    Condition::string_equals("s3:x-amz-acl", ["bucket-owner-full-control"])
}

/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html>
fn trail(config: &EnvConfig, bucket: &S3BucketHandle) -> Vec<Statement<ResourcePolicy>> {
    if !config.account.owns(Part::Trail) {
        return Vec::new();
    }
    let service = || Principal::service("cloudtrail.amazonaws.com");
    let source = || Condition::arn_equals("aws:SourceArn", [kms::trail_arn(config)]);
    let write = [deliveries(config, bucket)];
    vec![
        Statement::<ResourcePolicy>::allow("TrailWrite", service(), ["s3:PutObject"], write)
            .when(bucket_owner_controls())
            .when(source()),
        Statement::<ResourcePolicy>::allow("TrailCheck", service(), ["s3:GetBucketAcl"], [bucket.arn()])
            .when(source()),
    ]
}

/// <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_exportfindings.html#guardduty_exportfindings-s3-policies>
fn findings(config: &EnvConfig, bucket: &S3BucketHandle) -> Vec<Statement<ResourcePolicy>> {
    if !detect::exports_findings(config) {
        return Vec::new();
    }
    let service = || Principal::service("guardduty.amazonaws.com");
    let source = || Condition::arn_like("aws:SourceArn", [config.arn("guardduty", "detector/*")]);
    let write = [deliveries(config, bucket)];
    vec![
        Statement::<ResourcePolicy>::allow("FindingsWrite", service(), ["s3:PutObject"], write)
            .when(from_account(config))
            .when(source()),
        Statement::<ResourcePolicy>::allow(
            "FindingsCheck",
            service(),
            ["s3:GetBucketLocation"],
            [bucket.arn()],
        )
        .when(from_account(config))
        .when(source()),
    ]
}

/// <https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html>
fn recorder(config: &EnvConfig, bucket: &S3BucketHandle) -> Vec<Statement<ResourcePolicy>> {
    if !config.account.owns(Part::Recorder) {
        return Vec::new();
    }
    let service = || Principal::service("config.amazonaws.com");
    let write = [text![bucket.arn(), format!("/AWSLogs/{}/Config/*", config.account_id)]];
    vec![
        Statement::<ResourcePolicy>::allow("RecorderWrite", service(), ["s3:PutObject"], write)
            .when(from_account(config))
            .when(bucket_owner_controls()),
        Statement::<ResourcePolicy>::allow(
            "RecorderCheck",
            service(),
            ["s3:GetBucketAcl", "s3:ListBucket"],
            [bucket.arn()],
        )
        .when(from_account(config)),
    ]
}

/// Access and connection logs, without a prefix of their own. Every region and partition knows this service; naming the
/// region's ELB account instead is the way of before August 2022.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html>
fn load_balancer(config: &EnvConfig, bucket: &S3BucketHandle) -> Option<Statement<ResourcePolicy>> {
    let wanted = config.alb.access_logs || config.alb.connection_logs;
    let service = Principal::service("logdelivery.elasticloadbalancing.amazonaws.com");
    let source = config.arn("elasticloadbalancing", "loadbalancer/*");
    let statement = Statement::<ResourcePolicy>::allow(
        "LoadBalancer",
        service,
        ["s3:PutObject"],
        [deliveries(config, bucket)],
    )
    .when(Condition::arn_like("aws:SourceArn", [source]));
    wanted.then_some(statement)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html>
fn server_access(config: &EnvConfig, bucket: &S3BucketHandle) -> Statement<ResourcePolicy> {
    let logged = BucketKind::ALL.into_iter().filter(|kind| *kind != BucketKind::Access);
    let sources = logged.map(|kind| format!("arn:{}:s3:::{}", config.partition(), config.names.bucket(kind)));
    Statement::<ResourcePolicy>::allow(
        "ServerAccess",
        Principal::service("logging.s3.amazonaws.com"),
        ["s3:PutObject"],
        [text![bucket.arn(), format!("/{SERVER_ACCESS_PREFIX}/*")]],
    )
    .when(from_account(config))
    .when(Condition::arn_equals("aws:SourceArn", sources))
}

#[cfg(test)]
mod tests {
    use terraform::{Node, Number, Root, Value};

    use super::super::probe::*;
    use super::*;

    fn of<'r>(root: &'r Root, part: &str, kind: BucketKind) -> &'r Node {
        node(root, &format!("aws_s3_bucket{part}.{}", kind.as_str()))
    }

    fn holds_logs(kind: BucketKind) -> bool {
        matches!(kind, BucketKind::Audit | BucketKind::Config | BucketKind::Access)
    }

    fn days(value: &Value) -> i64 {
        match value {
            Value::Number(Number::Int(days)) => *days,
            other => panic!("{other:?} is no number of days"),
        }
    }

    #[test]
    fn every_bucket_is_private_versioned_and_without_acls() {
        let root = platform("");
        for kind in BucketKind::ALL {
            let public = of(&root, "_public_access_block", kind);
            for setting in
                ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]
            {
                assert_eq!(at(public, setting), &Value::Bool(true));
            }
            let versioning = of(&root, "_versioning", kind);
            assert_eq!(text_at(versioning, "versioning_configuration.status"), "Enabled");
            let ownership = of(&root, "_ownership_controls", kind);
            assert_eq!(text_at(ownership, "rule.object_ownership"), "BucketOwnerEnforced");
        }
    }

    #[test]
    fn every_bucket_refuses_old_tls_and_keys_of_others() {
        let root = platform("");
        for kind in BucketKind::ALL {
            let policy = of(&root, "_policy", kind);
            let denial = |sid: &str| {
                statement(policy, "policy", sid).filter(|s| !allows(s)).unwrap_or_else(|| panic!("no {sid}"))
            };
            assert_eq!(condition(denial("TlsOnly"), "aws:SecureTransport"), [Value::string("false")]);
            assert_eq!(condition(denial("TlsIsCurrent"), "s3:TlsVersion"), [Value::string("1.2")]);
            for sid in ["TlsOnly", "TlsIsCurrent"] {
                assert_eq!(denial(sid).get("Resource").and_then(Value::as_list).expect("resources").len(), 2);
            }
            denial("NoKeyOfTheCallers");
            if kind != BucketKind::Access {
                denial("NoOtherKey");
            }
        }
    }

    #[test]
    fn only_services_are_let_in_and_each_for_this_account_only() {
        let root = platform("network.flow_logs.s3 = true");
        let mut deliveries = 0;
        for policy in nodes(&root, "aws_s3_bucket_policy") {
            for statement in statements(policy, "policy").iter().filter(|s| allows(s)) {
                assert!(statement.get("Principal").is_some_and(|p| p.get("Service").is_some()));
                let of_account = |v: &Value| v.as_str().is_some_and(|v| v.contains("111122223333"));
                let sources =
                    [condition(statement, "aws:SourceAccount"), condition(statement, "aws:SourceArn")]
                        .concat();
                assert!(!sources.is_empty() && sources.iter().all(of_account), "{statement:?}");
                deliveries += 1;
            }
        }
        assert_eq!(deliveries, 10);
    }

    #[test]
    fn who_delivers_nothing_is_not_let_in() {
        let text = "account.baseline = false\nalb.access_logs = false\nalb.connection_logs = false";
        let root = platform(text);
        let policies = nodes(&root, "aws_s3_bucket_policy");
        let allowed: Vec<_> =
            policies.iter().flat_map(|p| statements(p, "policy")).filter(|s| allows(s)).collect();
        assert_eq!(allowed.len(), 1, "only the buckets' own access logs: {allowed:?}");
    }

    #[test]
    fn every_bucket_but_the_access_bucket_has_a_key_and_an_access_log() {
        let root = platform("");
        let rule = "rule.apply_server_side_encryption_by_default";
        for kind in BucketKind::ALL {
            let encryption = of(&root, "_server_side_encryption_configuration", kind);
            let algorithm = text_at(encryption, &format!("{rule}.sse_algorithm"));
            let logging = root.find(&format!("aws_s3_bucket_logging.{}", kind.as_str()));
            if kind == BucketKind::Access {
                // What is delivered there knows SSE-S3 alone, and a log of the log would never end.
                assert_eq!(algorithm, "AES256");
                assert!(logging.is_none());
                continue;
            }
            assert_eq!(algorithm, "aws:kms");
            assert_eq!(at(encryption, "rule.bucket_key_enabled"), &Value::Bool(true));
            let key = match kind {
                BucketKind::Artifacts => "aws_kms_key.artifacts",
                BucketKind::Statements => "aws_kms_key.data",
                BucketKind::Audit | BucketKind::Config | BucketKind::Access => "aws_kms_key.logs",
            };
            assert!(leads_to(&root, encryption, key));
            assert!(leads_to(&root, logging.expect("an access log"), "aws_s3_bucket_policy.access"));
        }
    }

    fn leads_to(root: &Root, from: &Node, to: &str) -> bool {
        from.edges().iter().any(|edge| root.nodes()[edge.to].address().to_string() == to)
    }

    #[test]
    fn the_audit_bucket_alone_is_locked() {
        let root = platform("");
        assert_eq!(nodes(&root, "aws_s3_bucket_object_lock_configuration").len(), 1);
        let lock = of(&root, "_object_lock_configuration", BucketKind::Audit);
        assert_eq!(text_at(lock, "rule.default_retention.mode"), "COMPLIANCE");
        assert!(days(at(lock, "rule.default_retention.days")) >= 365);
        for kind in BucketKind::ALL {
            let enabled = at(of(&root, "", kind), "object_lock_enabled");
            assert_eq!(enabled, &Value::Bool(kind == BucketKind::Audit));
        }
        let elsewhere = platform(FLEETING);
        let lock = of(&elsewhere, "_object_lock_configuration", BucketKind::Audit);
        assert_eq!(text_at(lock, "rule.default_retention.mode"), "GOVERNANCE");
    }

    #[test]
    fn logs_are_at_hand_for_three_months_and_kept_for_twelve() {
        let root = platform("");
        for kind in BucketKind::ALL {
            let lifecycle = of(&root, "_lifecycle_configuration", kind);
            assert!(days(at(lifecycle, "rule.expiration.days")) >= 365);
            assert_eq!(at(lifecycle, "rule.filter"), &Value::List(vec![Value::Object(Vec::new())]));
            at(lifecycle, "rule.noncurrent_version_expiration.noncurrent_days");
            at(lifecycle, "rule.abort_incomplete_multipart_upload.days_after_initiation");
            if holds_logs(kind) {
                let transitions = at(lifecycle, "rule.transition").as_list().expect("transitions");
                let archive =
                    transitions.iter().find(|t| t.get("storage_class") == Some(&Value::string("GLACIER")));
                assert!(archive.and_then(|t| t.get("days")).map(days).expect("an archive") >= 90);
            }
        }
    }

    #[test]
    fn protection_decides_whether_logs_can_be_deleted() {
        for (text, protected) in [("", true), (FLEETING, false)] {
            let root = platform(text);
            for kind in BucketKind::ALL {
                let bucket = of(&root, "", kind);
                assert_eq!(bucket.prevent_destroy(), protected);
                assert_eq!(at(bucket, "force_destroy"), &Value::Bool(!protected));
                let denial = statement(of(&root, "_policy", kind), "policy", "NobodyDeletes");
                assert_eq!(denial.is_some(), protected && holds_logs(kind));
            }
        }
    }

    #[test]
    fn the_platform_does_not_read_its_logs() {
        let root = platform("");
        for kind in [BucketKind::Audit, BucketKind::Config, BucketKind::Access] {
            let denial =
                statement(of(&root, "_policy", kind), "policy", "PlatformDoesNotRead").expect("a denial");
            let roles = condition(denial, "aws:PrincipalArn");
            let role = "arn:aws:iam::111122223333:role/txn-reconcile-test-*";
            assert!(!allows(denial) && roles.contains(&Value::string(role)));
            // The service reads the anchors of its own audit log, and nothing beside them.
            assert_eq!(denial.get("NotResource").is_some(), kind == BucketKind::Audit);
            assert_eq!(denial.get("Resource").is_some(), kind != BucketKind::Audit);
        }
    }

    #[test]
    fn statements_have_a_retention_of_their_own() {
        let root = platform("storage.statements_expire_days = 2557\nstorage.expire_days = 500");
        for (kind, expected) in [(BucketKind::Statements, 2557), (BucketKind::Audit, 500)] {
            let lifecycle = of(&root, "_lifecycle_configuration", kind);
            assert_eq!(days(at(lifecycle, "rule.expiration.days")), expected);
        }
    }

    /// Side by side they end in `OperationAborted`.
    #[test]
    fn the_parts_of_a_bucket_wait_for_each_other() {
        let root = platform("");
        for kind in BucketKind::ALL {
            let parts = |node: &&Node| {
                node.address().kind().starts_with("aws_s3_bucket_") && node.address().name() == kind.as_str()
            };
            let parts: Vec<&Node> = root.nodes().iter().filter(parts).collect();
            // Each waits for another part of the same bucket, and no two for the same one: a chain, or a fork of two
            // at its end would show as a part that two wait for.
            let mut awaited: Vec<usize> = parts
                .iter()
                .flat_map(|part| part.edges())
                .filter(|edge| {
                    edge.argument.is_none() && parts.iter().any(|p| p.address().index() == edge.to)
                })
                .map(|edge| edge.to)
                .collect();
            let waiting = awaited.len();
            awaited.sort_unstable();
            awaited.dedup();
            assert_eq!((awaited.len(), waiting), (parts.len() - 1, parts.len() - 1), "{}", kind.as_str());
        }
    }
}
