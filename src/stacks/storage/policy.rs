//! The policies of buckets: what may be done with them, by whom, and who delivers to them.

use aws::document::policy::{Condition, Principal, Statement};
use aws::kind::{KmsKeyArn, ResourcePolicy, S3BucketArn};
use terraform::{Expr, kind::Text, text};

use super::SERVER_ACCESS_PREFIX;
use crate::config::{BucketKind, EnvConfig, Part};
use crate::names::{export, trail};
use crate::stacks::kms::Key;

/// A bucket has one policy, so it must know everybody who delivers to the bucket.
pub(super) fn statements(
    config: &EnvConfig,
    kind: BucketKind,
    bucket: &Expr<S3BucketArn>,
    key: Option<&Key>,
) -> Vec<Statement<ResourcePolicy>> {
    let mut all = transport(bucket);
    all.extend(encryption_is_ours(bucket, key.map(Key::arn)));
    match kind {
        BucketKind::Audit => {
            all.extend(logs_are_kept(config, kind, bucket));
            all.extend(config.service.has_contract().then(|| anchors_stay(bucket)));
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

/// What the policy of a bucket of logs must say that exists already. That it is locked, and who reads it, is its owner's
/// to say.
pub(super) fn required_audit(
    config: &EnvConfig,
    bucket: &Expr<S3BucketArn>,
) -> Vec<Statement<ResourcePolicy>> {
    let mut all = transport(bucket);
    all.extend(flow_logs(config, bucket));
    all.extend(trail(config, bucket));
    all.extend(findings(config, bucket));
    all.extend(writers(config, bucket));
    all
}

/// What the policy of a bucket of access logs must say that exists already.
pub(super) fn required_access(
    config: &EnvConfig,
    bucket: &Expr<S3BucketArn>,
) -> Vec<Statement<ResourcePolicy>> {
    let mut all = transport(bucket);
    all.extend(load_balancer(config, bucket));
    all.push(server_access(config, bucket));
    all
}

/// What Firehose does as it writes the exported log groups. In a bucket of another account it also hands each object to
/// the bucket's owner.
/// <https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#cross-account-delivery-s3>
pub fn export_actions(config: &EnvConfig) -> &'static [&'static str] {
    let foreign = config.storage.audit_bucket.as_ref().and_then(|bucket| bucket.account.as_ref());
    match foreign.is_some_and(|account| *account != config.account_id) {
        true => &["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"],
        false => &["s3:AbortMultipartUpload", "s3:PutObject"],
    }
}

/// The environment's own roles that write to the bucket. They are named in a condition: a principal that is a role turns
/// into a dead id when the role is replaced.
fn writers(config: &EnvConfig, bucket: &Expr<S3BucketArn>) -> Vec<Statement<ResourcePolicy>> {
    let role = |name: &str| {
        let (partition, account) = (config.partition(), &config.account_id);
        format!("arn:{partition}:iam::{account}:role/{}", config.names.of(name))
    };
    let root = || Principal::arn(format!("arn:{}:iam::{}:root", config.partition(), config.account_id));
    let as_role = |name: &str| Condition::arn_equals("aws:PrincipalArn", [role(name)]);
    let mut all = Vec::new();
    if config.logs.export {
        let below = [export::PREFIX, export::ERROR_PREFIX]
            .map(|prefix| text![bucket.clone(), format!("/{prefix}/*")]);
        let find = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"];
        let write = export_actions(config).iter().copied();
        all.push(
            Statement::<ResourcePolicy>::allow("ExportWrite", root(), write, below).when(as_role("export")),
        );
        all.push(
            Statement::<ResourcePolicy>::allow("ExportFind", root(), find, [bucket.clone()])
                .when(as_role("export")),
        );
    }
    if !config.service.has_contract() {
        return all;
    }
    let prefix = contract::Bucket::Audit.prefix();
    let actions = ["s3:GetObject", "s3:PutObject"];
    all.push(
        Statement::<ResourcePolicy>::allow("AnchorsWrite", root(), actions, [anchors(bucket)])
            .when(as_role("task")),
    );
    all.push(anchors_stay(bucket));
    all.push(
        Statement::<ResourcePolicy>::allow("AnchorsFind", root(), ["s3:ListBucket"], [bucket.clone()])
            .when(as_role("task"))
            .when(Condition::string_like("s3:prefix", [format!("{prefix}*")])),
    );
    all
}

/// The heads of the service's audit log in a bucket.
fn anchors(bucket: &Expr<S3BucketArn>) -> Expr<Text> {
    text![bucket.clone(), format!("/{}*", contract::Bucket::Audit.prefix())]
}

/// A lock keeps the versions of an anchor, but a new one would hide them: not even who may write anchors puts one over
/// another. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html>
fn anchors_stay(bucket: &Expr<S3BucketArn>) -> Statement<ResourcePolicy> {
    Statement::<ResourcePolicy>::deny("AnchorsStay", Principal::Anyone, ["s3:PutObject"], [anchors(bucket)])
        .when(Condition::null("s3:if-none-match", true))
}

/// Everything in a bucket.
pub fn objects(bucket: &Expr<S3BucketArn>) -> Expr<Text> {
    text![bucket.clone(), "/*"]
}

/// Nothing but TLS, and none before 1.2 (PCI 4.2.1).
pub fn transport(bucket: &Expr<S3BucketArn>) -> Vec<Statement<ResourcePolicy>> {
    let deny = |sid: &'static str, condition| {
        let all = [bucket.clone().text(), objects(bucket)];
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
    bucket: &Expr<S3BucketArn>,
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
    bucket: &Expr<S3BucketArn>,
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
    let anchored = kind == BucketKind::Audit && config.service.has_contract();
    all.push(if anchored { unread.except([anchors(bucket)]) } else { unread });
    all
}

fn from_account(config: &EnvConfig) -> Condition {
    Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()])
}

/// Where AWS services put what they deliver for this account.
fn deliveries(config: &EnvConfig, bucket: &Expr<S3BucketArn>) -> Expr<Text> {
    text![bucket.clone(), format!("/AWSLogs/{}/*", config.account_id)]
}

/// Word for word what AWS would otherwise append to the policy behind Terraform's back.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html>
fn flow_logs(config: &EnvConfig, bucket: &Expr<S3BucketArn>) -> Vec<Statement<ResourcePolicy>> {
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
            [bucket.clone()],
        )
        .when(from_account(config))
        .when(source()),
    ]
}

fn bucket_owner_controls() -> Condition {
    Condition::string_equals("s3:x-amz-acl", ["bucket-owner-full-control"])
}

/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html>
fn trail(config: &EnvConfig, bucket: &Expr<S3BucketArn>) -> Vec<Statement<ResourcePolicy>> {
    if !config.account.owns(Part::Trail) {
        return Vec::new();
    }
    let service = || Principal::service("cloudtrail.amazonaws.com");
    let source = || Condition::arn_equals("aws:SourceArn", [trail::arn(config)]);
    let write = [deliveries(config, bucket)];
    vec![
        Statement::<ResourcePolicy>::allow("TrailWrite", service(), ["s3:PutObject"], write)
            .when(bucket_owner_controls())
            .when(source()),
        Statement::<ResourcePolicy>::allow("TrailCheck", service(), ["s3:GetBucketAcl"], [bucket.clone()])
            .when(source()),
    ]
}

/// <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_exportfindings.html#guardduty_exportfindings-s3-policies>
fn findings(config: &EnvConfig, bucket: &Expr<S3BucketArn>) -> Vec<Statement<ResourcePolicy>> {
    if !config.exports_findings() {
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
            [bucket.clone()],
        )
        .when(from_account(config))
        .when(source()),
    ]
}

/// <https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html>
fn recorder(config: &EnvConfig, bucket: &Expr<S3BucketArn>) -> Vec<Statement<ResourcePolicy>> {
    if !config.account.owns(Part::Recorder) {
        return Vec::new();
    }
    let service = || Principal::service("config.amazonaws.com");
    let write = [text![bucket.clone(), format!("/AWSLogs/{}/Config/*", config.account_id)]];
    vec![
        Statement::<ResourcePolicy>::allow("RecorderWrite", service(), ["s3:PutObject"], write)
            .when(from_account(config))
            .when(bucket_owner_controls()),
        Statement::<ResourcePolicy>::allow(
            "RecorderCheck",
            service(),
            ["s3:GetBucketAcl", "s3:ListBucket"],
            [bucket.clone()],
        )
        .when(from_account(config)),
    ]
}

/// Access and connection logs, without a prefix of their own. Every region and partition knows this service; naming the
/// region's ELB account instead is the way of before August 2022.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html>
fn load_balancer(config: &EnvConfig, bucket: &Expr<S3BucketArn>) -> Option<Statement<ResourcePolicy>> {
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
fn server_access(config: &EnvConfig, bucket: &Expr<S3BucketArn>) -> Statement<ResourcePolicy> {
    let ours = |kind: &BucketKind| match kind {
        BucketKind::Access => false,
        BucketKind::Audit => config.storage.audit_bucket.is_none(),
        BucketKind::Config | BucketKind::Artifacts => true,
        BucketKind::Statements => config.service.has_contract(),
    };
    let logged = BucketKind::ALL.into_iter().filter(ours);
    let sources = logged.map(|kind| format!("arn:{}:s3:::{}", config.partition(), config.names.bucket(kind)));
    Statement::<ResourcePolicy>::allow(
        "ServerAccess",
        Principal::service("logging.s3.amazonaws.com"),
        ["s3:PutObject"],
        [text![bucket.clone(), format!("/{SERVER_ACCESS_PREFIX}/*")]],
    )
    .when(from_account(config))
    .when(Condition::arn_equals("aws:SourceArn", sources))
}
