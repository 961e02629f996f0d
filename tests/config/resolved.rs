//! What a valid file resolves to.

use std::path::Path;
use txnr::check::parse;
use txnr::config::{BucketKind, EnvConfig, ObjectLockMode, Partition, Subnet, Subnets, TargetGroup};

const MINIMAL: &str = r#"
project = "txn-reconcile"
organization = "acme"
account_id = "111122223333"
region = "us-east-1"
domain = "reconcile.example.com"
network.cidr = "10.30.0.0/16"
alarms.page = ["oncall@example.com"]
service.contract = "txn-reconcile-api"
"#;

/// A whole file: what has to be there, and this.
fn whole(text: &str) -> String {
    // A table is opened once.
    match text.contains("[service]\n") || text.ends_with("[service]") {
        true => {
            let contract = "service.contract = \"txn-reconcile-api\"\n";
            let heading = "[service]\ncontract = \"txn-reconcile-api\"\n";
            MINIMAL.replace(contract, "") + &text.replacen("[service]\n", heading, 1)
        }
        false => format!("{MINIMAL}{text}"),
    }
}

fn config(text: &str) -> EnvConfig {
    match parse(Path::new("prod.toml"), &whole(text)) {
        Ok((config, warnings)) => {
            assert!(warnings.is_empty(), "{warnings}");
            config
        }
        Err(report) => panic!("{report}"),
    }
}

fn subnets(text: &str) -> Subnets {
    config(text).network.own().expect("a VPC of its own").subnets.clone()
}

fn ranges(subnets: &[Subnet]) -> Vec<String> {
    subnets.iter().map(|subnet| format!("{} {}", subnet.az, subnet.cidr)).collect()
}

#[test]
fn six_values_are_enough_and_the_rest_is_strict() {
    let config = config("");
    assert_eq!(config.name.as_str(), "prod");
    assert!(config.production && config.protection && config.account.baseline);
    assert_eq!(config.hosted_zone.as_str(), "example.com");
    assert_eq!(config.storage.object_lock.mode, ObjectLockMode::Compliance);
    assert_eq!((config.storage.object_lock.days, config.storage.expire_days), (365, 400));
    assert_eq!(config.logs.retention_days.get(), 400);
    assert_eq!(config.network.flow_logs_retention_days.get(), 400);
    assert_eq!(config.service.log_retention_days.get(), 400);
}

/// The reference says these values, some in words, which no compiler compares.
#[test]
fn the_service_is_deployed_as_it_is_built() {
    let config = config("");
    assert_eq!((config.service.container_port, config.service.user_id), (contract::PORT, contract::USER_ID));
    assert_eq!(config.service.stop_timeout_seconds, contract::STOP_TIMEOUT_SECONDS);
    assert_eq!(config.service.health_check.path.as_str(), contract::READINESS_PATH);
    assert_eq!(config.waf.upload_paths()[0].as_str(), contract::UPLOAD_PATH);
    let reference = txnr::config::schema::markdown();
    for (key, value) in [
        ("container_port", format!("| `{}` |", contract::PORT)),
        ("user_id", format!("| `{}` |", contract::USER_ID)),
        ("stop_timeout_seconds", format!("| `{}` |", contract::STOP_TIMEOUT_SECONDS)),
        ("path", format!("| `\"{}\"` |", contract::READINESS_PATH)),
        ("upload_paths", format!("`{}`.", contract::UPLOAD_PATH)),
    ] {
        let mut rows = reference.lines().filter(|line| line.starts_with(&format!("| `{key}` ")));
        assert!(rows.any(|row| row.contains(&value)), "{key}: {value}");
    }
}

#[test]
fn subnets_are_laid_out_from_one_range() {
    let subnets = subnets("");
    assert_eq!(
        ranges(&subnets.private),
        ["us-east-1a 10.30.0.0/20", "us-east-1b 10.30.16.0/20", "us-east-1c 10.30.32.0/20"]
    );
    assert_eq!(
        ranges(&subnets.public),
        ["us-east-1a 10.30.128.0/21", "us-east-1b 10.30.136.0/21", "us-east-1c 10.30.144.0/21"]
    );
    assert_eq!(
        ranges(&subnets.data),
        ["us-east-1a 10.30.192.0/21", "us-east-1b 10.30.200.0/21", "us-east-1c 10.30.208.0/21"]
    );
}

#[test]
fn another_zone_moves_no_subnet() {
    let three = subnets("");
    for zones in [r#"["a", "b", "c", "d", "e"]"#, r#"["d", "c", "b", "e", "a"]"#] {
        let five = subnets(&format!("network.availability_zones = {zones}"));
        for (before, after) in
            [(&three.private, five.private), (&three.public, five.public), (&three.data, five.data)]
        {
            assert!(before.iter().all(|subnet| after.contains(subnet)), "{zones}");
        }
    }
    let outer = subnets("network.availability_zones = [\"a\", \"f\"]");
    assert_eq!(ranges(&outer.data), ["us-east-1a 10.30.192.0/21", "us-east-1f 10.30.232.0/21"]);
}

#[test]
fn subnets_of_ones_own_replace_a_tier() {
    let text = "network.availability_zones = [\"a\", \"d\"]\nnetwork.subnets.data = [\"10.30.255.0/28\", \"10.30.255.16/28\"]";
    let subnets = subnets(text);
    assert_eq!(ranges(&subnets.data), ["us-east-1a 10.30.255.0/28", "us-east-1d 10.30.255.16/28"]);
    assert_eq!(subnets.private.len(), 2);
}

/// The endpoint for secrets is needed by who has some.
#[test]
fn the_fewest_endpoints_are_those_that_every_start_needs() {
    let fewest = "production = false\n[network.endpoints]\ninterface = [\"ecr.api\", \"ecr.dkr\", \"logs\", \"secretsmanager\"]\n\
                  gateway = [\"s3\", \"dynamodb\"]\n[detection]\nguardduty_plans = [\"s3\"]";
    assert_eq!(config(fewest).network.endpoints.interface.len(), 4);
}

#[test]
fn with_an_image_the_counts_follow_the_desired_one() {
    let service = config("[service]\ndesired_count = 5\nimage = \"v1\"").service;
    assert_eq!((service.counts.min, service.counts.desired, service.counts.max), (5, 5, 20));
    let digest = format!("sha256:{}", "a".repeat(64));
    let image = config(&format!("[service]\nimage = \"{digest}\"")).service.image.expect("an image");
    assert_eq!(image.in_repository("repo"), format!("repo@{digest}"));
    assert_eq!(config("[service]\ndesired_count = 5").service.image, None);
}

/// A lifecycle rule moves nothing on before its 30 days in infrequent access are over.
#[test]
fn the_archive_follows_thirty_days_after_infrequent_access() {
    let storage = config("[storage]\ninfrequent_access_days = 200\narchive_days = 230").storage;
    assert_eq!((storage.infrequent_access_days, storage.archive_days), (200, Some(230)));
}

#[test]
fn the_state_is_literal() {
    let state = config("").state;
    assert_eq!(state.bucket.as_str(), "txn-reconcile-tfstate-acme-111122223333");
    assert_eq!(state.key.as_str(), "envs/prod/terraform.tfstate");
    assert_eq!(state.lock_table.as_str(), "txn-reconcile-tfstate-locks");
    assert!(state.lock.uses_lock_file() && state.lock.uses_table());
    assert_eq!(state.kms_key_arn.as_str(), "arn:aws:kms:us-east-1:111122223333:alias/txn-reconcile-tfstate");
}

#[test]
fn every_partition_has_its_own_arns() {
    for (region, partition, suffix) in [
        ("eu-central-1", Partition::Aws, "amazonaws.com"),
        ("us-gov-west-1", Partition::AwsUsGov, "amazonaws.com"),
        ("cn-northwest-1", Partition::AwsCn, "amazonaws.com.cn"),
    ] {
        let text = MINIMAL.replace("us-east-1", region);
        let Ok((config, _)) = parse(Path::new("prod.toml"), &text) else { panic!("{region}") };
        assert_eq!(config.partition(), partition);
        assert_eq!(config.partition().dns_suffix(), suffix);
        assert!(config.state.kms_key_arn.as_str().starts_with(&format!("arn:{partition}:kms:{region}:")));
        assert_eq!(config.network.availability_zones[0].to_string(), format!("{region}a"));
    }
}

#[test]
fn names_that_aws_would_refuse_are_refused_here() {
    let text = MINIMAL.replace("\"txn-reconcile\"", "\"transaction-reconcil\"");
    let Err(report) = parse(Path::new("production.toml"), &text) else {
        panic!("a load balancer of 37 characters")
    };
    let said = report.to_string();
    assert!(
        said.contains("`transaction-reconcil-production-green` would have 37 characters, and AWS allows 32"),
        "{said}"
    );
}

/// A load balancer's name may not begin with `internal-`, nor a security group's with `sg-`.
#[test]
fn projects_whose_names_belong_to_aws_are_refused() {
    for project in ["internal", "internal-pay", "sg", "sg-pay", "aws-pay"] {
        let text = MINIMAL.replace("\"txn-reconcile\"", &format!("\"{project}\""));
        let report = parse(Path::new("prod.toml"), &text).expect_err(project).to_string();
        assert!(report.contains("AWS refuses names that begin with"), "{report}");
    }
    let text = MINIMAL.replace("\"txn-reconcile\"", "\"sgpay\"");
    assert!(parse(Path::new("prod.toml"), &text).is_ok());
}

/// Where no cardholder data is handled, counting is nobody's business.
#[test]
fn managed_groups_may_count_outside_of_production() {
    config("production = false\n[waf.managed_groups]\ncommon = \"count\"");
}

#[test]
fn composed_names_fit() {
    let names = config("").names;
    assert_eq!(names.load_balancer(), "txn-reconcile-prod");
    assert_eq!(names.target_group(TargetGroup::Blue), "txn-reconcile-prod-blue");
    assert_eq!(names.bucket(BucketKind::Audit), "txn-reconcile-prod-audit-acme-111122223333");
    assert_eq!(names.waf_log_group(), "aws-waf-logs-txn-reconcile-prod");
    assert_eq!(names.log_group("api"), "/txn-reconcile/prod/api");
    assert_eq!(names.key_alias("data"), "alias/txn-reconcile-prod-data");
}

/// A name that nobody chose stays, since another one would replace what runs; but it is told of.
#[test]
fn a_file_without_a_project_keeps_the_name_that_it_had_and_is_told() {
    let text = MINIMAL.replace("project = \"txn-reconcile\"\n", "");
    let Ok((config, warnings)) = parse(Path::new("prod.toml"), &text) else { panic!("refused") };
    assert_eq!(config.names.prefix(), "txn-reconcile-prod");
    let said = warnings.to_string();
    assert!(said.contains("`project` is missing") && said.contains("project = \"txn-reconcile\""), "{said}");
    assert!(!warnings.has_errors());
}

#[test]
fn the_states_key_is_an_object_that_terraform_takes() {
    let key = |key: &str| {
        parse(Path::new("prod.toml"), &format!("{MINIMAL}\n[state]\nkey = \"{key}\"\n"))
            .map(|(config, _)| config.state.key.to_string())
    };
    assert_eq!(key("payments/prod/terraform.tfstate").unwrap_or_default(), "payments/prod/terraform.tfstate");
    for bad in ["/a", "a/", "a//b", "a/../b", "", "a b", "${x}", "bootstrap/terraform.tfstate"] {
        assert!(key(bad).is_err(), "{bad}");
    }
    assert!(key(&"a".repeat(1001)).is_err());
}

/// What the contract alone brings is there with it and not without.
#[test]
fn without_the_contract_there_are_no_stores_and_nothing_is_uploaded() {
    let text = MINIMAL.replace("\"txn-reconcile-api\"", "\"none\"\nservice.name = \"payments-api\"");
    let Ok((config, warnings)) = parse(Path::new("prod.toml"), &text) else { panic!("refused") };
    assert!(warnings.is_empty(), "{warnings}");
    assert!(config.data.dynamodb.is_none() && config.data.postgres.is_none() && config.backup.is_none());
    assert!(config.waf.upload_paths().is_empty() && !config.service.tmp);
    assert_eq!(config.network.endpoints.gateway.len(), 1);
    let with = self::config("");
    assert!(with.data.dynamodb.is_some() && with.backup.is_some() && with.service.tmp);
    assert_eq!(with.network.endpoints.gateway.len(), 2);
}
