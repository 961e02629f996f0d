//! What AWS limits in the length of a name or a document, or in their number for one role, measured on the module as it is
//! built: a name is put together from several, and documents grow with services and secrets.

use std::collections::BTreeMap;

use terraform::{Expression, Node, Root, Value};

use crate::config::EnvConfig;
use crate::config::problem::Problems;
use crate::synth::synth;

/// An argument of a type of resource and the most characters that AWS takes in it.
struct Limit {
    kind: &'static str,
    argument: &'static str,
    most: usize,
    /// The key of the file that decides on it, and how to have less.
    key: &'static str,
    help: &'static str,
}

const fn name(kind: &'static str, argument: &'static str, most: usize) -> Limit {
    let help = "shorter names of project, environment or service";
    Limit { kind, argument, most, key: "project", help }
}

const fn document(kind: &'static str, argument: &'static str, most: usize) -> Limit {
    let help = "fewer services, secrets or principals in this environment";
    Limit { kind, argument, most, key: "services", help }
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>,
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>,
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupVault.html>,
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>,
/// <https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html>,
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>,
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>,
/// <https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html>
const LIMITS: [Limit; 18] = [
    name("aws_iam_role", "name", 64),
    name("aws_iam_policy", "name", 128),
    name("aws_cloudwatch_event_rule", "name", 64),
    name("aws_kinesis_firehose_delivery_stream", "name", 64),
    name("aws_backup_vault", "name", 50),
    name("aws_backup_restore_testing_plan", "name", 50),
    name("aws_lb", "name", 32),
    name("aws_sqs_queue", "name", 80),
    name("aws_db_instance", "identifier", 63),
    name("aws_rds_cluster", "cluster_identifier", 63),
    document("aws_iam_role", "assume_role_policy", 2_048),
    document("aws_iam_policy", "policy", 6_144),
    document("aws_cloudwatch_event_rule", "event_pattern", 2_048),
    document("aws_s3_bucket_policy", "policy", 20_480),
    document("aws_kms_key", "policy", 32_768),
    document("aws_secretsmanager_secret_policy", "policy", 20_480),
    document("aws_cloudwatch_log_resource_policy", "policy_document", 5_120),
    document("aws_vpc_endpoint", "policy", 20_480),
];

/// Inline policies of one role, in all.
const INLINE_MOST: usize = 10_240;
/// Policies that one role has attached, unless more are asked for.
const ATTACHED_MOST: usize = 10;

/// Notes what AWS would refuse in the middle of an apply.
pub fn check(config: &EnvConfig, problems: &mut Problems) {
    if problems.has_errors() {
        return;
    }
    // What else is wrong with the module is told when it is written.
    let Ok(root) = synth(config) else { return };
    for node in root.nodes() {
        let of_kind = LIMITS.iter().filter(|limit| limit.kind == node.address().kind());
        for (limit, value) in of_kind.filter_map(|limit| Some((limit, node.argument(limit.argument)?))) {
            let length = length(value);
            if length > limit.most {
                let (address, argument) = (node.address(), limit.argument);
                problems.error(
                    limit.key,
                    format!(
                        "`{argument}` of {address} has {length} characters, and AWS takes {}",
                        limit.most
                    ),
                    limit.help,
                );
            }
        }
    }
    for (role, (inline, attached)) in of_roles(&root) {
        if inline > INLINE_MOST {
            problems.error(
                "service.secrets",
                format!("the inline policies of {role} have {inline} characters in all, and AWS takes {INLINE_MOST}"),
                "fewer secrets and parameters of one service, or names that one policy of `task_policies` covers",
            );
        }
        if attached > ATTACHED_MOST {
            problems.error(
                "service.task_policies",
                format!("{attached} policies are attached to {role}, and AWS attaches {ATTACHED_MOST} unless asked for more"),
                "fewer policies, each for more",
            );
        }
    }
}

/// The characters of each role's inline policies, and how many policies are attached to it.
fn of_roles(root: &Root) -> BTreeMap<String, (usize, usize)> {
    let mut roles: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for node in root.nodes() {
        let Some(role) = role_of(root, node) else { continue };
        let (inline, attached) = roles.entry(role).or_default();
        match node.address().kind() {
            "aws_iam_role_policy" => *inline += node.argument("policy").map_or(0, length),
            "aws_iam_role_policy_attachment" => *attached += 1,
            _ => {}
        }
    }
    roles
}

fn role_of(root: &Root, node: &Node) -> Option<String> {
    let edge = node.edges().iter().find(|edge| edge.argument.as_deref() == Some("role"))?;
    Some(root.nodes()[edge.to].address().to_string())
}

/// How long an ARN is that is known only once there is something: one of the longest of this platform.
const REFERENCE: usize = 100;

/// The characters of a text or, as `jsonencode` writes it, of a document.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Document(document) => written(&document.content),
        other => written(other),
    }
}

fn written(value: &Value) -> usize {
    let list = |lengths: &mut dyn Iterator<Item = usize>| {
        let (count, sum) = lengths.fold((0_usize, 0), |(count, sum), length| (count + 1, sum + length));
        2 + sum + count.saturating_sub(1)
    };
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(terraform::Number::Int(number)) => number.to_string().len(),
        Value::Number(terraform::Number::Float(number)) => number.to_string().len(),
        Value::String(text) => 2 + escaped(text),
        Value::List(items) => list(&mut items.iter().map(written)),
        Value::Object(entries) => {
            list(&mut entries.iter().map(|(key, value)| 3 + escaped(key) + written(value)))
        }
        Value::Expression(expression) => evaluated(expression),
        Value::Document(document) => 2 + written(&document.content),
    }
}

/// What an expression comes to: its literal parts, and an ARN for each reference.
fn evaluated(expression: &Expression) -> usize {
    match expression.reference() {
        Some(_) => 2 + REFERENCE,
        None => {
            let parts = expression.operands().map(|part| match part {
                Value::String(text) => escaped(text),
                Value::Expression(inner) if inner.reference().is_some() => REFERENCE,
                other => written(other),
            });
            2 + parts.sum::<usize>()
        }
    }
}

fn escaped(text: &str) -> usize {
    // `jsonencode` writes the three of HTML as `\u003c`: <https://developer.hashicorp.com/terraform/language/functions/jsonencode>
    let more = |c: char| match c {
        '<' | '>' | '&' => 5,
        '"' | '\\' | '\n' => 1,
        _ => 0,
    };
    text.chars().map(|c| 1 + more(c)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::parse;
    use std::fmt::Write as _;
    use std::path::Path;

    const REQUIRED: &str = "organization = \"acme\"\nproject = \"reconcile\"\naccount_id = \"111122223333\"\nregion = \"us-east-1\"\n\
                            domain = \"reconcile.example.com\"\nnetwork.cidr = \"10.30.0.0/16\"\n\
                            service.contract = \"txn-reconcile-api\"\nalarms.page = [\"oncall@example.com\"]\n";

    fn report(name: &str, more: &str) -> String {
        parse(Path::new(name), &format!("{REQUIRED}{more}"))
            .map_or_else(|report| report.to_string(), |_| String::new())
    }

    #[test]
    fn lengths_are_those_of_what_is_written() {
        let text = |text: &'static str| Value::from(text);
        let object = Value::Object(vec![
            ("a".into(), Value::List(vec![text("x"), text("y<")])),
            ("b".into(), Value::Number(12.into())),
        ]);
        assert_eq!(written(&object), r#"{"a":["x","y\u003c"],"b":12}"#.len());
    }

    #[test]
    fn many_services_fit_into_the_patterns_of_events() {
        let mut many = String::new();
        for at in 0..40 {
            write!(many, "[services.service-number-{at}]\nhosts = [\"s{at}.reconcile.example.com\"]\n")
                .expect("a text");
        }
        let report = report("prod.toml", &many);
        assert!(!report.contains("event_pattern"), "{report}");
    }

    #[test]
    fn what_grows_beyond_a_limit_is_refused() {
        let mut secrets = "[service.secrets]\n".to_owned();
        for at in 0..200 {
            let arn = format!(
                "arn:aws:secretsmanager:us-east-1:111122223333:secret:payments/partner-number-{at:03}-AbCdEf"
            );
            writeln!(secrets, "PARTNER_{at}_CREDENTIAL = \"{arn}\"").expect("a text");
        }
        let report = report("prod.toml", &secrets);
        assert!(
            report.contains("the inline policies of aws_iam_role.") && report.contains("10240"),
            "{report}"
        );
    }

    #[test]
    fn a_long_environment_is_taken_as_far_as_its_names_fit() {
        assert_eq!(report("integration-eu.toml", ""), "");
        let report =
            report("integration-europe-2.toml", &"project = \"reconcile\"\n".replace("project", "owner"));
        assert!(report.is_empty() || report.contains("characters, and AWS"), "{report}");
    }
}
