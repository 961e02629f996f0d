//! Customer-managed keys, one per purpose (PCI 3.6.1.4): logs, data, secrets, artifacts.
//!
//! Each key policy says three things. The account's root may do everything, which hands the decision to the account's
//! IAM policies and is the way back in when everybody else has lost theirs. Whoever is named in the environment file
//! may administer the keys, or use them. AWS services may use the key for logs, each for its own resources only. No
//! statement names a principal that this module makes: AWS would turn it into a dead id when the role is replaced.

mod existing;

use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::{self, KmsKeyKeyId, ResourcePolicy};
use aws::{KmsAlias, KmsAliasOptional, KmsKey, KmsKeyHandle};
use terraform::{Expr, Meta, ProviderRef, Stack, set};

use super::Providers;
use crate::config::{EnvConfig, KmsKeyArn, Part, Region};
use crate::names::{LogGroup, Topic, alarm_topic, cluster, queue, trail};

/// The keys.
pub struct Outputs {
    /// Encrypts log groups, log buckets and alarm topics.
    pub logs: Key,
    /// Encrypts data stores.
    pub data: Key,
    /// Encrypts secrets.
    pub secrets: Key,
    /// Encrypts images and build artifacts.
    pub artifacts: Key,
    /// Encrypts what is copied to the recovery region, if there is one: a key of that region's own, so that the loss of
    /// either key costs one copy.
    pub recovery: Option<Key>,
    /// Encrypts the zone's query log and the topic of its alarms, where Route 53 keeps both in another region.
    pub zone: Option<Key>,
}

/// A key, as whatever it encrypts refers to it.
#[derive(Clone, Debug)]
pub struct Key {
    arn: Expr<kind::KmsKeyArn>,
    key_id: Expr<KmsKeyKeyId>,
}

impl Key {
    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> Expr<kind::KmsKeyArn> {
        self.arn.clone()
    }

    /// What names it where an ARN is not asked for.
    #[must_use]
    pub fn key_id(&self) -> Expr<KmsKeyKeyId> {
        self.key_id.clone()
    }
}

impl From<&KmsKeyHandle> for Key {
    fn from(key: &KmsKeyHandle) -> Self {
        Self { arn: key.arn(), key_id: key.key_id() }
    }
}

/// Builds the keys and their aliases.
///
/// Each further region that the environment works in has a key of its own.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, providers: &Providers) -> Outputs {
    let keys = &config.kms.keys;
    let mut here = |purpose, existing: &Option<KmsKeyArn>| match existing {
        Some(arn) => existing::key(stack, config, purpose, arn),
        None => key(stack, config, purpose, None),
    };
    let (logs, data) = (here(Purpose::Logs, &keys.logs), here(Purpose::Data, &keys.data));
    let secrets = here(Purpose::Secrets, &keys.secrets);
    let artifacts = here(Purpose::Artifacts, &keys.artifacts);
    let mut away = |purpose, provider: &Option<ProviderRef>| {
        provider.as_ref().map(|provider| key(stack, config, purpose, Some(provider)))
    };
    Outputs {
        logs,
        data,
        secrets,
        artifacts,
        recovery: away(Purpose::Recovery, &providers.recovery),
        zone: away(Purpose::Zone, &providers.zone),
    }
}

/// What a key is for: a key that serves one purpose can be given to few, and its loss or disclosure costs one kind of
/// data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Logs,
    Data,
    Secrets,
    Artifacts,
    Recovery,
    Zone,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Data => "data",
            Self::Secrets => "secrets",
            Self::Artifacts => "artifacts",
            Self::Recovery => "recovery",
            Self::Zone => "zone",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::Logs => "log groups, log buckets and alarm topics",
            Self::Data => "data stores",
            Self::Secrets => "secrets",
            Self::Artifacts => "images and build artifacts",
            Self::Recovery => "copies in the recovery region",
            Self::Zone => "the hosted zone's query log and alarms",
        }
    }

    /// The services through which whoever is named as a user may use the key, and by no direct call.
    const fn services(self) -> &'static [&'static str] {
        match self {
            Self::Logs => &["firehose"],
            Self::Data => &["backup", "dynamodb", "rds"],
            Self::Secrets => &["rds", "secretsmanager", "ssm"],
            Self::Artifacts => &["ecr", "s3"],
            Self::Recovery => &["backup", "dynamodb", "rds", "s3"],
            Self::Zone => &["logs", "sns"],
        }
    }

    /// The region that the key lies in.
    fn region(self, config: &EnvConfig) -> Region {
        let abroad = match self {
            Self::Recovery => config.recovery.region.clone(),
            Self::Zone => config.zone_abroad(),
            Self::Logs | Self::Data | Self::Secrets | Self::Artifacts => None,
        };
        abroad.unwrap_or_else(|| config.region.clone())
    }
}

fn key(stack: &mut Stack<'_>, config: &EnvConfig, purpose: Purpose, provider: Option<&ProviderRef>) -> Key {
    let name = purpose.as_str();
    // What a lost key encrypted is lost (PCI 3.7.5).
    let mut meta = Meta::new().prevent_destroy(config.protection);
    let mut alias = Meta::new();
    if let Some(provider) = provider {
        meta = meta.provider(provider);
        alias = alias.provider(provider);
    }
    let key = stack.add_with(
        name,
        meta,
        KmsKey {
            description: set(format!("{}: {}", config.names.prefix(), purpose.description())),
            deletion_window_in_days: set(config.kms.deletion_window_days.get()),
            // PCI 3.7.4
            enable_key_rotation: set(true),
            rotation_period_in_days: set(config.kms.rotation_days.get()),
            policy: set(Policy::new(statements(config, purpose))),
            ..Default::default()
        },
    );
    stack.add_with(
        name,
        alias,
        KmsAlias {
            target_key_id: set(key.key_id()),
            optional: KmsAliasOptional { name: set(config.names.key_alias(name)), ..Default::default() },
        },
    );
    let key = Key::from(&key);
    output(stack, purpose, &key);
    key
}

fn output(stack: &mut Stack<'_>, purpose: Purpose, key: &Key) {
    stack.output(
        &format!("kms_{}_key_arn", purpose.as_str()),
        format!("The key that encrypts {}.", purpose.description()),
        key.arn(),
    );
}

fn statements(config: &EnvConfig, purpose: Purpose) -> Vec<Statement<ResourcePolicy>> {
    let mut all = vec![account(config)];
    all.extend(administrators(config));
    all.extend(uses(config, purpose));
    all
}

/// Who uses the key by name: the roles of the environment file, and AWS's services.
fn uses(config: &EnvConfig, purpose: Purpose) -> Vec<Statement<ResourcePolicy>> {
    let mut all = terraform_role(config, purpose);
    if purpose == Purpose::Artifacts {
        all.extend(pipeline_role(config));
    }
    if purpose == Purpose::Logs {
        all.extend(services(config));
    }
    if purpose == Purpose::Zone {
        all.push(log_groups(config, purpose));
        all.extend(zone_alarms(config));
    }
    if purpose == Purpose::Data {
        all.extend(task_storage(config));
    }
    all
}

/// In a key policy, `*` is the key itself.
pub(super) const THIS_KEY: [&str; 1] = ["*"];

/// What a user of the key may do with it.
const USE: [&str; 5] =
    ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"];

/// Leaves the key to the account's IAM policies, as AWS's default key policy does; without it, nobody but the
/// principals named here could ever mend the policy.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
pub(super) fn account(config: &EnvConfig) -> Statement<ResourcePolicy> {
    let root = format!("arn:{}:iam::{}:root", config.partition(), config.account_id);
    Statement::<ResourcePolicy>::allow("Account", Principal::arn(root), ["kms:*"], THIS_KEY)
}

/// Administration without use (PCI 3.6.1.3, 3.7.6): the denial holds whatever IAM policies allow.
pub(super) fn administrators(config: &EnvConfig) -> Vec<Statement<ResourcePolicy>> {
    let named: Vec<String> = config.kms.administrators.iter().map(ToString::to_string).collect();
    // A role named as a user as well remains one.
    let users = [&config.iam.terraform_role, &config.iam.pipeline_role];
    let users: Vec<String> = users.into_iter().flatten().map(ToString::to_string).collect();
    let without_use: Vec<String> = named.iter().filter(|arn| !users.contains(arn)).cloned().collect();

    let mut all = Vec::new();
    if !named.is_empty() {
        let actions = [
            "kms:CancelKeyDeletion",
            "kms:CreateAlias",
            "kms:DeleteAlias",
            "kms:DescribeKey",
            "kms:DisableKey",
            "kms:EnableKey",
            "kms:EnableKeyRotation",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListGrants",
            "kms:ListKeyPolicies",
            "kms:ListKeyRotations",
            "kms:ListResourceTags",
            "kms:PutKeyPolicy",
            "kms:RevokeGrant",
            "kms:RotateKeyOnDemand",
            "kms:ScheduleKeyDeletion",
            "kms:TagResource",
            "kms:UntagResource",
            "kms:UpdateAlias",
            "kms:UpdateKeyDescription",
        ];
        let allow =
            Statement::<ResourcePolicy>::allow("Administrators", Principal::Anyone, actions, THIS_KEY);
        all.push(allow.of_arns(named));
    }
    if !without_use.is_empty() {
        // A grant is use, handed on.
        let actions =
            ["kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"];
        let deny = Statement::<ResourcePolicy>::deny(
            "AdministratorsUseNothing",
            Principal::Anyone,
            actions,
            THIS_KEY,
        );
        all.push(deny.of_arns(without_use));
    }
    all
}

/// Terraform makes what the key encrypts, and lets the services have their grants; it decrypts nothing by itself.
fn terraform_role(config: &EnvConfig, purpose: Purpose) -> Vec<Statement<ResourcePolicy>> {
    let Some(role) = &config.iam.terraform_role else { return Vec::new() };
    let allow = |sid: &'static str, actions: &[&'static str]| {
        Statement::<ResourcePolicy>::allow(sid, Principal::Anyone, actions.iter().copied(), THIS_KEY)
            .of_arns([role.to_string()])
    };
    let grants = allow("TerraformGrants", &["kms:CreateGrant"])
        .when(Condition::bool("kms:GrantIsForAWSResource", true));
    vec![allow("TerraformUses", &USE).when(via(config, purpose)), grants]
}

/// The pipeline pushes images and uploads what it built.
fn pipeline_role(config: &EnvConfig) -> Option<Statement<ResourcePolicy>> {
    let role = config.iam.pipeline_role.as_ref()?;
    let statement = Statement::<ResourcePolicy>::allow("PipelineUses", Principal::Anyone, USE, THIS_KEY);
    Some(statement.of_arns([role.to_string()]).when(via(config, Purpose::Artifacts)))
}

fn via(config: &EnvConfig, purpose: Purpose) -> Condition {
    let suffix = config.partition().dns_suffix();
    // Whose rules the key of the data encrypts.
    let firewall = config.network.has_firewall() && purpose == Purpose::Data;
    let more = firewall.then_some("network-firewall");
    let services = purpose.services().iter().copied().chain(more);
    let services = services.map(|service| format!("{service}.{}.{suffix}", purpose.region(config)));
    Condition::string_equals("kms:ViaService", services)
}

/// The services that use the key for logs by themselves, not in a caller's name. Conditions hold fixed values
/// (Security Hub KMS.5 credits no others), which are put together from names: a reference would close a circle.
fn services(config: &EnvConfig) -> Vec<Statement<ResourcePolicy>> {
    let mut all = vec![log_groups(config, Purpose::Logs), alarm_topics(config), dead_letters(config)];
    if config.network.flow_logs.s3 {
        all.push(flow_logs(config));
    }
    if config.account.owns(Part::Trail) {
        all.extend(trail(config));
    }
    if config.account.owns(Part::Recorder) {
        all.push(recorder(config));
    }
    if config.exports_findings() {
        all.push(findings(config));
    }
    all
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html>
fn log_groups(config: &EnvConfig, purpose: Purpose) -> Statement<ResourcePolicy> {
    let region = purpose.region(config);
    let groups = LogGroup::all(config).filter(|group| group.region(config) == region);
    let groups = groups.flat_map(|group| std::iter::once(group.arn(config)).chain(group.earlier(config)));
    // The one principal here that differs by region and by partition.
    let service = format!("logs.{region}.{}", config.partition().dns_suffix());
    Statement::<ResourcePolicy>::allow("LogGroups", Principal::service(service), USE, THIS_KEY)
        .when(Condition::arn_equals("kms:EncryptionContext:aws:logs:arn", groups))
}

/// Fargate encrypts the tasks' temporary storage with the key for data.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-create-storage-key.html>
fn task_storage(config: &EnvConfig) -> [Statement<ResourcePolicy>; 2] {
    let fargate = || Principal::service("fargate.amazonaws.com");
    let of_cluster = |statement: Statement<ResourcePolicy>| {
        statement
            .when(Condition::string_equals(
                "kms:EncryptionContext:aws:ecs:clusterAccount",
                [config.account_id.to_string()],
            ))
            .when(Condition::string_equals(
                "kms:EncryptionContext:aws:ecs:clusterName",
                [cluster::name(config)],
            ))
    };
    [
        of_cluster(Statement::<ResourcePolicy>::allow(
            "TaskStorage",
            fargate(),
            ["kms:GenerateDataKeyWithoutPlaintext"],
            THIS_KEY,
        )),
        of_cluster(Statement::<ResourcePolicy>::allow(
            "TaskStorageGrants",
            fargate(),
            ["kms:CreateGrant"],
            THIS_KEY,
        ))
        .when(Condition::for_all_values_string_equals("kms:GrantOperations", ["Decrypt"])),
    ]
}

/// Without it an encrypted topic drops every alarm.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services>
fn alarm_topics(config: &EnvConfig) -> Statement<ResourcePolicy> {
    let topics = Topic::ALL.map(|topic| topic.arn(config));
    let mut services = vec!["cloudwatch.amazonaws.com".into(), "events.amazonaws.com".into()];
    if config.data.postgres.is_some() {
        services.push("events.rds.amazonaws.com".into());
    }
    Statement::<ResourcePolicy>::allow(
        "AlarmTopics",
        Principal::Services(services),
        ["kms:Decrypt", "kms:GenerateDataKey*"],
        THIS_KEY,
    )
    .when(Condition::string_equals("kms:EncryptionContext:aws:sns:topicArn", topics))
}

/// The same for the alarms on the zone, which ring where Route 53 measures it.
fn zone_alarms(config: &EnvConfig) -> Option<Statement<ResourcePolicy>> {
    let topic = alarm_topic::arn_abroad(config)?;
    let service = Principal::service("cloudwatch.amazonaws.com");
    let statement = Statement::<ResourcePolicy>::allow(
        "AlarmTopics",
        service,
        ["kms:Decrypt", "kms:GenerateDataKey*"],
        THIS_KEY,
    );
    Some(statement.when(Condition::string_equals("kms:EncryptionContext:aws:sns:topicArn", [topic])))
}

/// Events that reached no topic are kept in an encrypted queue.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html#eb-dlq-perms>
fn dead_letters(config: &EnvConfig) -> Statement<ResourcePolicy> {
    Statement::<ResourcePolicy>::allow(
        "DeadLetters",
        Principal::service("events.amazonaws.com"),
        ["kms:Decrypt", "kms:GenerateDataKey*"],
        THIS_KEY,
    )
    .when(Condition::string_equals("kms:EncryptionContext:aws:sqs:arn", [queue::dead_letters_arn(config)]))
}

/// <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-cmk-policy.html>
fn flow_logs(config: &EnvConfig) -> Statement<ResourcePolicy> {
    let service = Principal::service("delivery.logs.amazonaws.com");
    Statement::<ResourcePolicy>::allow("FlowLogs", service, USE, THIS_KEY)
        .when(Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()]))
        .when(Condition::arn_like("aws:SourceArn", [config.arn("logs", "*")]))
}

/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html>
fn trail(config: &EnvConfig) -> [Statement<ResourcePolicy>; 2] {
    let trail = trail::arn(config);
    let service = || Principal::service("cloudtrail.amazonaws.com");
    [
        Statement::<ResourcePolicy>::allow("Trail", service(), ["kms:GenerateDataKey*"], THIS_KEY)
            .when(Condition::arn_equals("aws:SourceArn", [trail.clone()]))
            .when(Condition::arn_equals("kms:EncryptionContext:aws:cloudtrail:arn", [trail.clone()])),
        Statement::<ResourcePolicy>::allow("TrailDescribes", service(), ["kms:DescribeKey"], THIS_KEY)
            .when(Condition::arn_equals("aws:SourceArn", [trail])),
    ]
}

/// <https://docs.aws.amazon.com/config/latest/developerguide/s3-kms-key-policy.html>
fn recorder(config: &EnvConfig) -> Statement<ResourcePolicy> {
    Statement::<ResourcePolicy>::allow(
        "Recorder",
        Principal::service("config.amazonaws.com"),
        ["kms:Decrypt", "kms:GenerateDataKey*"],
        THIS_KEY,
    )
    .when(Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()]))
}

/// <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_exportfindings.html#guardduty-exporting-findings-kms-policy>
fn findings(config: &EnvConfig) -> Statement<ResourcePolicy> {
    let service = Principal::service("guardduty.amazonaws.com");
    Statement::<ResourcePolicy>::allow("Findings", service, ["kms:GenerateDataKey"], THIS_KEY)
        .when(Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()]))
        // GuardDuty makes up the detector's id.
        .when(Condition::arn_like("aws:SourceArn", [config.arn("guardduty", "detector/*")]))
}

#[cfg(test)]
mod tests {
    use terraform::{Number, Value};

    use super::super::probe::*;

    const NAMED: &str = r#"
kms.administrators = ["arn:aws:iam::111122223333:role/admins", "arn:aws:iam::111122223333:role/terraform"]
iam.terraform_role = "arn:aws:iam::111122223333:role/terraform"
iam.pipeline_role = "arn:aws:iam::111122223333:role/pipeline"
network.flow_logs.s3 = true
"#;

    fn principals(statement: &Value) -> Vec<&str> {
        let principal = statement.get("Principal").expect("a principal");
        principal.get("AWS").map(texts).unwrap_or_default()
    }

    #[test]
    fn every_purpose_has_a_key_that_rotates_and_is_hard_to_lose() {
        let root = platform("kms.rotation_days = 180");
        let keys = nodes(&root, "aws_kms_key");
        assert_eq!(keys.len(), 4);
        for key in keys {
            assert_eq!(at(key, "enable_key_rotation"), &Value::Bool(true));
            assert_eq!(at(key, "rotation_period_in_days"), &Value::Number(Number::Int(180)));
            assert_eq!(at(key, "deletion_window_in_days"), &Value::Number(Number::Int(30)));
            assert!(key.prevent_destroy());
        }
        assert!(nodes(&platform(FLEETING), "aws_kms_key").iter().all(|key| !key.prevent_destroy()));
    }

    const EXISTING: &str = r#"
[kms.keys]
logs = "arn:aws:kms:us-east-1:111122223333:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e61"
secrets = "arn:aws:kms:us-east-1:999988887777:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e62"
elsewhere = "The security team"
"#;

    #[test]
    fn a_key_that_exists_is_used_and_not_made() {
        let root = platform(EXISTING);
        for (purpose, exists) in [("logs", true), ("data", false), ("secrets", true), ("artifacts", false)] {
            assert_eq!(root.find(&format!("aws_kms_key.{purpose}")).is_none(), exists, "{purpose}");
            assert_eq!(root.find(&format!("aws_kms_alias.{purpose}")).is_none(), exists, "{purpose}");
            assert_eq!(root.find(&format!("data.aws_kms_key.{purpose}")).is_some(), exists, "{purpose}");
        }
        let group = at(node(&root, "aws_cloudwatch_log_group.service"), "kms_key_id");
        assert_eq!(written(group), "data.aws_kms_key.logs.arn");
    }

    /// What we would have said ourselves but for who administers: whatever service uses the key here is let in there.
    #[test]
    fn the_owner_of_a_key_is_told_what_its_policy_must_allow() {
        let text = format!("{NAMED}{EXISTING}");
        let file = |root: &terraform::Root| {
            let files = root.render("");
            let text = files.into_iter().find(|(file, _)| file == "kms.tf.json").expect("a file").1;
            serde_json::from_str::<serde_json::Value>(&text).expect("JSON")
        };
        let sids = |statements: &serde_json::Value| -> Vec<String> {
            let all = statements.as_array().expect("statements").iter();
            all.map(|statement| statement["Sid"].as_str().expect("a name").to_owned()).collect()
        };
        let theirs = file(&platform(&text));
        let theirs = sids(&theirs["locals"]["required_key_statements_logs"]["Statement"]);
        let ours = file(&platform(NAMED));
        let mut ours = sids(&ours["locals"]["aws_kms_key_logs_policy"]["Statement"]);
        ours.retain(|sid| !["Account", "Administrators", "AdministratorsUseNothing"].contains(&sid.as_str()));
        assert_eq!(theirs[..2], ["EnvironmentUses", "EnvironmentGrants"]);
        assert_eq!(theirs[2..], ours);
    }

    #[test]
    fn the_recovery_region_has_a_key_of_its_own() {
        assert!(platform("").find("aws_kms_key.recovery").is_none());
        let root = platform(&format!("{NAMED}recovery.region = \"us-west-2\""));
        let key = node(&root, "aws_kms_key.recovery");
        let uses = statement(key, "policy", "TerraformUses").expect("a permission");
        assert!(
            condition(uses, "kms:ViaService").contains(&Value::string("dynamodb.us-west-2.amazonaws.com"))
        );
        let written = root.render("").into_iter().find(|(file, _)| file == "kms.tf.json").expect("a file").1;
        assert_eq!(written.matches("\"provider\": \"aws.recovery\"").count(), 2, "the key and its alias");
    }

    #[test]
    fn no_key_policy_names_everybody_or_what_this_module_makes() {
        let root = platform(NAMED);
        for key in nodes(&root, "aws_kms_key") {
            assert!(key.edges().is_empty(), "{} refers to something", key.address());
            for statement in statements(key, "policy") {
                let everybody = statement.get("Principal").is_none_or(|p| p.as_str().is_some());
                let named = || !condition(statement, "aws:PrincipalArn").is_empty();
                assert!(!everybody || named(), "{statement:?}");
            }
            assert!(statement(key, "policy", "Account").is_some(), "{} can be locked", key.address());
        }
    }

    #[test]
    fn services_use_the_key_under_a_condition_of_fixed_values() {
        let root = platform(NAMED);
        let keys = [
            "kms:EncryptionContext:aws:ecs:clusterName",
            "kms:EncryptionContext:aws:logs:arn",
            "kms:EncryptionContext:aws:sns:topicArn",
            "kms:EncryptionContext:aws:sqs:arn",
            "aws:SourceAccount",
            "aws:SourceArn",
        ];
        let mut services = 0;
        for statement in nodes(&root, "aws_kms_key").into_iter().flat_map(|key| statements(key, "policy")) {
            if statement.get("Principal").is_some_and(|p| p.get("Service").is_some()) {
                services += 1;
                let fixed = |key| {
                    let values = condition(statement, key);
                    !values.is_empty() && values.iter().all(|v| v.as_str().is_some_and(|v| !v.contains('*')))
                };
                assert!(keys.into_iter().any(fixed), "{statement:?}");
            }
        }
        assert_eq!(services, 10);
    }

    #[test]
    fn every_log_group_may_be_encrypted() {
        for text in ["", "data.postgres.enabled = true", "production = false\nlogs.export = false"] {
            let root = platform(text);
            let statement = statement(node(&root, "aws_kms_key.logs"), "policy", "LogGroups").expect("there");
            let allowed = condition(statement, "kms:EncryptionContext:aws:logs:arn");
            let groups = nodes(&root, "aws_cloudwatch_log_group");
            assert_eq!(allowed.len(), groups.len());
            for group in groups {
                let name = text_at(group, "name");
                let arn = format!("arn:aws:logs:us-east-1:111122223333:log-group:{name}");
                assert!(allowed.contains(&Value::string(arn)), "{name} cannot be encrypted");
            }
        }
    }

    #[test]
    fn administrators_use_nothing() {
        let root = platform(NAMED);
        for key in nodes(&root, "aws_kms_key") {
            let denied = statement(key, "policy", "AdministratorsUseNothing").expect("a denial");
            assert!(!allows(denied));
            // The Terraform role is a user as well, and remains one.
            let admins = "arn:aws:iam::111122223333:role/admins";
            assert_eq!(condition(denied, "aws:PrincipalArn"), [Value::string(admins)]);
            let administer = statement(key, "policy", "Administrators").expect("a permission");
            assert!(condition(administer, "aws:PrincipalArn").contains(&Value::string(admins)));
            let uses =
                |action: &&str| ["crypt", "DataKey", "*"].iter().any(|part| action[4..].starts_with(part));
            assert!(!texts(administer.get("Action").expect("actions")).iter().any(uses));
        }
    }

    #[test]
    fn roles_use_keys_through_services_and_the_pipeline_one_key_only() {
        let root = platform(NAMED);
        for key in nodes(&root, "aws_kms_key") {
            let terraform = statement(key, "policy", "TerraformUses").expect("a permission");
            assert!(!condition(terraform, "kms:ViaService").is_empty());
            let role = Value::string("arn:aws:iam::111122223333:role/terraform");
            assert_eq!(condition(terraform, "aws:PrincipalArn"), [role]);
            let pipeline = statement(key, "policy", "PipelineUses");
            assert_eq!(pipeline.is_some(), key.address().name() == "artifacts");
        }
        let nobody = platform("");
        let policies = nodes(&nobody, "aws_kms_key");
        assert!(policies.iter().all(|key| statement(key, "policy", "TerraformUses").is_none()));
    }

    /// AWS would keep them by ids that later ones of the same name do not have.
    #[test]
    fn no_role_is_a_principal_by_name() {
        for text in [
            NAMED,
            "kms.keys.secrets = \"arn:aws:kms:us-east-1:222233334444:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6f\"\nkms.keys.elsewhere = \"The account factory\"\nsecrets.readers = [\"arn:aws:iam::111122223333:role/break-glass\"]\niam.terraform_role = \"arn:aws:iam::111122223333:role/terraform\"\n",
        ] {
            let root = platform(text);
            for node in root.nodes().iter().filter(|node| node.argument("policy").is_some()) {
                let Value::Document(policy) = node.argument("policy").expect("there") else { continue };
                let statements = policy.content.get("Statement").and_then(Value::as_list).unwrap_or_default();
                for statement in statements.iter().filter(|statement| statement.get("Principal").is_some()) {
                    let named = statement.get("Principal").and_then(|principal| principal.get("AWS"));
                    let named = named.and_then(Value::as_list).unwrap_or_default();
                    let role = named.iter().filter_map(Value::as_str).find(|arn| !arn.ends_with(":root"));
                    assert_eq!(role, None, "{}", node.address());
                }
            }
        }
    }

    #[test]
    fn partitions_have_arns_and_principals_of_their_own() {
        let root = platform("region = \"cn-north-1\"");
        let logs = statement(node(&root, "aws_kms_key.logs"), "policy", "LogGroups").expect("there");
        let service = logs.get("Principal").and_then(|p| p.get("Service")).expect("a service");
        assert_eq!(texts(service), ["logs.cn-north-1.amazonaws.com.cn"]);
        let root = platform("region = \"us-gov-west-1\"");
        let account = statement(node(&root, "aws_kms_key.data"), "policy", "Account").expect("there");
        assert_eq!(principals(account), ["arn:aws-us-gov:iam::111122223333:root"]);
    }
}
