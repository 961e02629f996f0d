use std::collections::BTreeSet;

use aws::document::conformance_pack::ConformancePack;
use terraform::{Node, Root, Value};

use super::super::probe::*;
use crate::config::EnvConfig;

const GOV: &str = "region = \"us-gov-west-1\"";
const CHINA: &str = "region = \"cn-north-1\"";

/// Every part of the baseline, and what stands for it in the module.
const PARTS: [(&str, &str); 9] = [
    ("trail", "aws_cloudtrail"),
    ("recorder", "aws_config_configuration_recorder"),
    ("guardduty", "aws_guardduty_detector"),
    ("security_hub", "aws_securityhub_account"),
    ("inspector", "aws_inspector2_enabler"),
    ("access_analyzer", "aws_accessanalyzer_analyzer"),
    ("password_policy", "aws_iam_account_password_policy"),
    ("support_role", "aws_iam_role_policy_attachment"),
    ("defaults", "aws_s3_account_public_access_block"),
];

fn leads_to(root: &Root, from: &str, to: &str) -> bool {
    node(root, from).edges().iter().any(|edge| root.nodes()[edge.to].address().to_string() == to)
}

fn list<'n>(node: &'n Node, path: &str) -> &'n [Value] {
    at(node, path).as_list().expect("a list")
}

#[test]
fn each_part_is_built_by_the_owner_of_the_baseline_unless_somebody_else_has_it() {
    let ours = platform("");
    let not_ours = platform("account.baseline = false");
    for (part, kind) in PARTS {
        assert!(!nodes(&ours, kind).is_empty(), "no {kind}");
        let elsewhere = platform(&format!("account.elsewhere.{part} = \"The security team has it\""));
        assert!(
            nodes_of(&elsewhere, "detect", kind).is_empty(),
            "{kind} in spite of account.elsewhere.{part}"
        );
    }
    assert!(nodes_of(&not_ours, "detect", "aws_iam_role").is_empty());
    assert!(not_ours.nodes().iter().all(|node| not_ours.stack_of(node) != "detect"));
}

#[test]
fn what_is_elsewhere_leaves_no_right_behind() {
    let text = "account.elsewhere = { trail = \"a\", recorder = \"b\", guardduty = \"c\" }";
    let root = platform(text);
    for (bucket, sids) in
        [("audit", &["TrailWrite", "FindingsWrite"][..]), ("config", &["RecorderWrite", "RecorderCheck"])]
    {
        let policy = node(&root, &format!("aws_s3_bucket_policy.{bucket}"));
        for sid in sids {
            assert!(statement(policy, "policy", sid).is_none(), "{sid}");
        }
    }
    for sid in ["Trail", "TrailDescribes", "Recorder", "Findings"] {
        assert!(statement(node(&root, "aws_kms_key.logs"), "policy", sid).is_none(), "{sid}");
    }
    assert!(root.find("aws_cloudwatch_log_group.trail").is_none());
}

#[test]
fn the_trail_records_everything_everywhere_where_nobody_can_change_it() {
    let root = platform("");
    let trail = node(&root, "aws_cloudtrail.main");
    for setting in [
        "enable_logging",
        "is_multi_region_trail",
        "include_global_service_events",
        "enable_log_file_validation",
    ] {
        assert_eq!(at(trail, setting), &Value::Bool(true), "{setting}");
    }
    // Key and bucket let in the trail of this name.
    assert_eq!(text_at(trail, "name"), "txn-reconcile-test");
    for to in ["aws_kms_key.logs", "aws_s3_bucket.audit", "aws_s3_bucket_policy.audit"] {
        assert!(leads_to(&root, "aws_cloudtrail.main", to), "{to}");
    }
    for to in ["aws_cloudwatch_log_group.trail", "aws_iam_role.trail", "aws_iam_role_policy.trail"] {
        assert!(leads_to(&root, "aws_cloudtrail.main", to), "{to}");
    }
    assert!(trail.prevent_destroy());
    assert!(trail.argument("event_selector").is_none(), "the two kinds of selectors exclude each other");
}

/// The values of a field in each of the trail's selectors.
fn selected(root: &Root, field: &str) -> Vec<String> {
    let selectors = list(node(root, "aws_cloudtrail.main"), "advanced_event_selector");
    let fields = selectors
        .iter()
        .flat_map(|selector| selector.get("field_selector").and_then(Value::as_list).expect("fields"));
    let wanted = fields.filter(|f| f.get("field").and_then(Value::as_str) == Some(field));
    wanted.flat_map(|f| texts(f.get("equals").expect("values"))).map(str::to_owned).collect()
}

#[test]
fn data_events_do_not_silence_management_events() {
    let root = platform("");
    assert_eq!(selected(&root, "eventCategory"), ["Management", "Data", "Data"]);
    assert_eq!(selected(&root, "resources.type"), ["AWS::S3::Object", "AWS::DynamoDB::Table"]);
    let none = platform("production = false\ndetection = { object_events = false, item_events = false }");
    assert_eq!(selected(&none, "eventCategory"), ["Management"]);
    let insights = |text| {
        let root = platform(text);
        node(&root, "aws_cloudtrail.main").argument("insight_selector").is_some()
    };
    assert!(!insights("") && insights("detection.trail_insights = true"));
}

#[test]
fn the_recorder_waits_for_its_role_and_the_recording_for_its_channel() {
    let root = platform("");
    let recorder = node(&root, "aws_config_configuration_recorder.main");
    assert_eq!(at(recorder, "recording_group.all_supported"), &Value::Bool(true));
    assert_eq!(at(recorder, "recording_group.include_global_resource_types"), &Value::Bool(true));
    assert!(
        text_at(recorder, "role_arn").ends_with(
            ":iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
        )
    );
    for (from, to) in [
        ("aws_config_configuration_recorder.main", "aws_iam_service_linked_role.config"),
        ("aws_config_delivery_channel.main", "aws_config_configuration_recorder.main"),
        ("aws_config_delivery_channel.main", "aws_s3_bucket.config"),
        ("aws_config_delivery_channel.main", "aws_s3_bucket_policy.config"),
        ("aws_config_delivery_channel.main", "aws_kms_key.logs"),
        ("aws_config_configuration_recorder_status.main", "aws_config_delivery_channel.main"),
        ("aws_config_conformance_pack.pci", "aws_config_configuration_recorder_status.main"),
        ("aws_securityhub_standards_subscription.pci", "aws_config_configuration_recorder_status.main"),
    ] {
        assert!(leads_to(&root, from, to), "{from} does not wait for {to}");
    }
    let there = platform("detection.config_service_role = false");
    assert!(nodes(&there, "aws_iam_service_linked_role").is_empty());
}

/// The rules of the conformance pack.
fn pack(root: &Root) -> Vec<(&str, &Value)> {
    let Some(Value::Document(document)) =
        node(root, "aws_config_conformance_pack.pci").argument("template_body")
    else {
        panic!("no document")
    };
    let Some(Value::Object(resources)) = document.content.get("Resources") else { panic!("no rules") };
    resources.iter().map(|(id, rule)| (id.as_ref(), rule.get("Properties").expect("properties"))).collect()
}

fn name_of(rule: &Value) -> &str {
    rule.get("ConfigRuleName").and_then(Value::as_str).expect("a name")
}

#[test]
fn the_conformance_pack_is_within_the_limits_of_aws() {
    let root =
        platform("detection.macie.enabled = true\nshield = { subscribed = true, response_team = true }");
    let rules = pack(&root);
    let ids: BTreeSet<&str> = rules.iter().map(|(id, _)| *id).collect();
    let names: BTreeSet<&str> = rules.iter().map(|(_, rule)| name_of(rule)).collect();
    assert_eq!((ids.len(), names.len()), (super::conformance_rules().count(), rules.len()));
    assert!(rules.len() <= ConformancePack::RULES_MAX);
    assert!(ids.iter().all(|id| id.bytes().all(|b| b.is_ascii_alphanumeric())), "{ids:?}");
    // As Terraform's jsonencode writes it, without the blanks of the file.
    let files = root.render("test");
    let (_, file) = files.iter().find(|(name, _)| name == "detect.tf.json").expect("the stack's file");
    let file: serde_json::Value = serde_json::from_str(file).expect("JSON");
    let template = &file["locals"]["aws_config_conformance_pack_pci_template_body"];
    assert!((10_000..ConformancePack::BYTES_MAX).contains(&template.to_string().len()), "{template}");
}

#[test]
fn the_conformance_pack_knows_its_place_and_what_is_left_out() {
    let names = |text: &str| {
        let root = platform(text);
        pack(&root).iter().map(|(_, rule)| name_of(rule).to_owned()).collect::<BTreeSet<_>>()
    };
    let global = "cloudfront-accesslogs-enabled";
    assert!(names("").contains(global) && !names("region = \"eu-west-1\"").contains(global));
    assert!(!names("").contains("macie-status-check"));
    assert!(names("detection.macie.enabled = true").contains("macie-status-check"));
    assert!(!names("detection.rules_left_out = [\"restricted-ssh\"]").contains("restricted-ssh"));
    let root = platform("");
    let (_, gateway) =
        *pack(&root).iter().find(|(id, _)| *id == "InternetGatewayAuthorizedVpcOnly").expect("it");
    assert!(gateway.get("InputParameters").and_then(|p| p.get("AuthorizedVpcIds")).is_some());
    assert!(leads_to(&root, "aws_config_conformance_pack.pci", "aws_vpc.main"));
}

/// A pack that names one rule which the region does not have is refused as a whole, in the middle of an apply.
#[test]
fn the_conformance_pack_holds_what_the_region_has() {
    let names = |region: &str| {
        let root = platform(&format!("region = \"{region}\""));
        pack(&root).iter().map(|(_, rule)| name_of(rule).to_owned()).collect::<BTreeSet<_>>()
    };
    let (frankfurt, jakarta) = (names("eu-central-1"), names("ap-southeast-3"));
    for missing in ["wafv2-webacl-not-empty", "appsync-associated-with-waf"] {
        assert!(frankfurt.contains(missing) && !jakarta.contains(missing), "{missing}");
    }
    assert!(jakarta.contains("multi-region-cloudtrail-enabled") && jakarta.is_subset(&frankfurt));
    let unknown = platform("region = \"eu-south-9\"\nnetwork.availability_zones = [\"a\", \"b\"]");
    assert!(nodes(&unknown, "aws_config_conformance_pack").is_empty());
}

#[test]
fn the_central_tags_are_asked_of_whatever_is_in_the_account() {
    let root = platform("");
    let parameters = text_at(node(&root, "aws_config_config_rule.required_tags"), "input_parameters");
    let parameters: std::collections::BTreeMap<String, String> =
        serde_json::from_str(parameters).expect("JSON");
    let keys: BTreeSet<&str> = parameters.values().map(String::as_str).collect();
    let config = EnvConfig::for_test("");
    let ours: BTreeSet<&str> = config.default_tags().into_keys().collect();
    assert_eq!(keys.len(), 6);
    assert!(keys.is_subset(&ours), "{keys:?} {ours:?}");
}

fn plans(root: &Root, status: &str) -> BTreeSet<String> {
    let features = nodes(root, "aws_guardduty_detector_feature").into_iter();
    let wanted = features.filter(|feature| text_at(feature, "status") == status);
    wanted.map(|feature| text_at(feature, "name").to_owned()).collect()
}

#[test]
fn guardduty_watches_the_tasks_and_says_what_is_off() {
    let root = platform("");
    assert_eq!(plans(&root, "ENABLED").len(), 6);
    let agents =
        list(node(&root, "aws_guardduty_detector_feature.runtime_monitoring"), "additional_configuration");
    let enabled: Vec<&str> = agents
        .iter()
        .filter(|agent| agent.get("status") == Some(&Value::string("ENABLED")))
        .filter_map(|agent| agent.get("name").and_then(Value::as_str))
        .collect();
    assert_eq!((agents.len(), enabled), (3, vec!["ECS_FARGATE_AGENT_MANAGEMENT"]));
    // What a region lacks cannot even be switched off.
    let taipei = platform("region = \"ap-east-2\"");
    assert_eq!((plans(&taipei, "ENABLED").len(), plans(&taipei, "DISABLED").len()), (5, 0));
    let some = platform("detection.guardduty_plans = [\"s3\"]");
    assert_eq!(plans(&some, "ENABLED"), BTreeSet::from(["S3_DATA_EVENTS".to_owned()]));
    assert_eq!(plans(&some, "DISABLED").len(), 5);
    // The tasks' agent needs a way, and one that Terraform knows of.
    assert!(root.find("aws_vpc_endpoint.guardduty_data").is_some());
}

#[test]
fn findings_of_guardduty_are_kept_as_long_as_other_logs() {
    let root = platform("");
    let destination = "aws_guardduty_publishing_destination.findings";
    for to in ["aws_s3_bucket.audit", "aws_s3_bucket_policy.audit", "aws_kms_key.logs"] {
        assert!(leads_to(&root, destination, to), "{to}");
    }
    let none = platform("detection.guardduty_export = false");
    assert!(none.find(destination).is_none());
    assert!(statement(node(&none, "aws_kms_key.logs"), "policy", "Findings").is_none());
}

#[test]
fn security_hub_judges_by_the_standards_that_are_named_and_no_others() {
    for (text, start) in [
        ("", "arn:aws:securityhub:us-east-1::standards/"),
        (GOV, "arn:aws-us-gov:securityhub:us-gov-west-1::standards/"),
        (CHINA, "arn:aws-cn:securityhub:cn-north-1::standards/"),
    ] {
        let root = platform(text);
        let hub = node(&root, "aws_securityhub_account.main");
        assert_eq!(at(hub, "enable_default_standards"), &Value::Bool(false));
        let standards: Vec<&str> = nodes(&root, "aws_securityhub_standards_subscription")
            .into_iter()
            .map(|standard| text_at(standard, "standards_arn").strip_prefix(start).expect("of the partition"))
            .collect();
        assert_eq!(standards, ["pci-dss/v/4.0.1", "aws-foundational-security-best-practices/v/1.0.0"]);
    }
}

fn disabled(text: &str) -> BTreeSet<String> {
    let root = platform(text);
    let off = nodes(&root, "aws_securityhub_standards_control_association");
    off.iter().all(|control| !text_at(control, "updated_reason").is_empty()).then_some(()).expect("reasons");
    off.iter().map(|control| control.address().name().to_owned()).collect()
}

#[test]
fn controls_are_off_where_the_design_deviates_or_the_environment_says_why() {
    assert_eq!(
        disabled(""),
        ["ec2_10", "ec2_172", "ec2_57", "ec2_58", "ec2_60", "macie_1", "macie_2"]
            .map(|control| format!("foundational_{control}"))
            .into()
    );
    // What a region does not have cannot be switched off there.
    for none in [GOV, CHINA, "detection.disable_deviations = false"] {
        assert!(disabled(none).is_empty(), "{none}");
    }
    let fewer = disabled("detection = { block_other_vpcs = true, macie = { enabled = true } }");
    assert_eq!(fewer.len(), 4);
    let more =
        disabled("[detection.disabled_controls]\n\"IAM.6\" = \"The root user has no MFA that is hardware\"");
    assert!(more.contains("pci_iam_6") && more.contains("foundational_iam_6"));
}

#[test]
fn inspector_scans_what_the_region_offers() {
    let scans = |text: &str| {
        let root = platform(text);
        texts(at(node(&root, "aws_inspector2_enabler.main"), "resource_types"))
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(scans(""), ["ECR", "EC2", "LAMBDA", "LAMBDA_CODE"]);
    assert_eq!(scans(GOV), ["ECR", "EC2", "LAMBDA"]);
    assert_eq!(scans("detection.inspector_scans = [\"ecr\"]"), ["ECR"]);
    let none = platform("detection.inspector_scans = []");
    assert!(nodes(&none, "aws_inspector2_enabler").is_empty());
}

#[test]
fn a_partition_is_asked_only_for_what_it_has() {
    let china = platform(CHINA);
    assert!(nodes(&china, "aws_config_conformance_pack").is_empty());
    assert_eq!(plans(&china, "ENABLED").len(), 2);
    assert!(plans(&china, "DISABLED").is_empty());
    assert!(china.find("aws_vpc_endpoint.guardduty_data").is_none());
    let gov = platform(GOV);
    assert!(nodes(&gov, "aws_config_conformance_pack").is_empty());
    assert_eq!(plans(&gov, "ENABLED").len(), 6);
    let endpoint = node(&gov, "aws_vpc_endpoint.guardduty_data");
    assert_eq!(text_at(endpoint, "service_name"), "com.amazonaws.us-gov-west-1.guardduty-data-fips");
}

#[test]
fn nothing_new_is_public_or_unencrypted() {
    let root = platform("");
    let buckets = node(&root, "aws_s3_account_public_access_block.main");
    for setting in
        ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]
    {
        assert_eq!(at(buckets, setting), &Value::Bool(true));
    }
    assert_eq!(
        text_at(node(&root, "aws_ebs_snapshot_block_public_access.main"), "state"),
        "block-all-sharing"
    );
    assert!(leads_to(&root, "aws_ebs_default_kms_key.main", "aws_kms_key.data"));
    assert!(leads_to(&root, "aws_ebs_encryption_by_default.main", "aws_ebs_default_kms_key.main"));
    assert_eq!(text_at(node(&root, "aws_ec2_instance_metadata_defaults.main"), "http_tokens"), "required");
    assert!(nodes(&root, "aws_vpc_block_public_access_options").is_empty());
    // Ours is excepted first, or it would be offline until then.
    let blocked = platform("detection.block_other_vpcs = true");
    let exclusion = "aws_vpc_block_public_access_exclusion.main";
    assert!(leads_to(&blocked, "aws_vpc_block_public_access_options.main", exclusion));
    assert!(leads_to(&blocked, exclusion, "aws_vpc.main"));
}

#[test]
fn people_open_cases_with_aws_with_mfa_only() {
    let named = "iam.operators = [\"arn:aws:iam::111122223333:role/on-call\"]";
    for (text, who) in
        [("", "arn:aws:iam::111122223333:root"), (named, "arn:aws:iam::111122223333:role/on-call")]
    {
        let root = platform(text);
        let [trust] = statements(node(&root, "aws_iam_role.support"), "assume_role_policy") else {
            panic!("one statement")
        };
        let people = trust.get("Principal").and_then(|p| p.get("AWS")).expect("people");
        assert_eq!(texts(people), [who]);
        assert_eq!(condition(trust, "aws:MultiFactorAuthPresent"), [Value::string("true")]);
    }
}

#[test]
fn what_faces_the_internet_is_protected_where_the_account_is_subscribed() {
    let protected = |text: &str| nodes(&platform(text), "aws_shield_protection").len();
    assert_eq!(protected(""), 0);
    // Load balancer, zone, and a NAT address per zone.
    assert_eq!(protected("shield.subscribed = true\nnetwork.nat = \"per-az\""), 5);
    assert_eq!(protected("shield.subscribed = true"), 2);
    assert_eq!(protected("account.baseline = false\nshield.subscribed = true\nnetwork.nat = \"none\""), 1);
    let team = platform("shield = { subscribed = true, response_team = true }");
    assert!(leads_to(&team, "aws_shield_drt_access_role_arn_association.main", "aws_iam_role.shield"));
}

#[test]
fn macie_looks_where_others_upload_files_and_can_read_it() {
    assert!(nodes(&platform(""), "aws_macie2_account").is_empty());
    let root = platform("detection.macie = { enabled = true, buckets = [\"another\"] }");
    let job = node(&root, "aws_macie2_classification_job.card_data");
    let buckets = list(job, "s3_job_definition.bucket_definitions.buckets");
    assert_eq!((buckets.len(), &buckets[1]), (2, &Value::string("another")));
    assert!(leads_to(&root, "aws_macie2_classification_job.card_data", "aws_s3_bucket.statements"));
    assert!(leads_to(&root, "aws_kms_grant.macie", "aws_kms_key.data"));
    assert!(leads_to(&root, "aws_kms_grant.macie", "aws_macie2_account.main"));
}

#[test]
fn every_role_has_the_boundary() {
    let boundary = "arn:aws:iam::111122223333:policy/boundary";
    let text = format!(
        "iam.permissions_boundary = \"{boundary}\"\nshield = {{ subscribed = true, response_team = true }}"
    );
    let root = platform(&text);
    let roles = nodes_of(&root, "detect", "aws_iam_role");
    assert_eq!(roles.len(), 3);
    assert!(roles.iter().all(|role| text_at(role, "permissions_boundary") == boundary));
}

#[test]
fn the_findings_way_out_is_open_only_where_there_are_findings() {
    let exports = |text: &str| EnvConfig::for_test(text).exports_findings();
    assert!(exports("") && !exports("account.baseline = false"));
    assert!(!exports("account.elsewhere.guardduty = \"The security team has it\""));
}
