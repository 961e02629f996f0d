//! What must hold of the roles and the service, in production and with every option.

use std::path::Path;

use terraform::{Node, Root, Value};

use crate::stacks::probe::written;

use contract::{Sensitivity, StoreKind, Var};

/// Production as the least that a user writes, with `more` behind it.
pub(crate) fn production(more: &str) -> Root {
    built("prod", &format!("image = \"sha256:{}\"\n{more}", "ab".repeat(32)))
}

/// An environment without protection, with `more` as the rest of its `[service]` section.
pub(crate) fn development(more: &str) -> Root {
    built("dev", more)
}

/// A platform of this name.
fn built(name: &str, service: &str) -> Root {
    let switches = if name == "prod" { "" } else { "production = false\nprotection = false\n" };
    let text = format!(
        "organization = \"acme\"\naccount_id = \"111122223333\"\nregion = \"us-east-1\"\n\
         domain = \"reconcile.example.com\"\n{switches}[network]\ncidr = \"10.30.0.0/16\"\n[service]\ncontract = \"txn-reconcile-api\"\n{service}"
    );
    synthesized(name, &text)
}

/// The roles and the service of a whole environment file.
pub(crate) fn synthesized(name: &str, text: &str) -> Root {
    let path = format!("envs/{name}.toml");
    // Somebody has to hear of alarms.
    let text = format!("alarms.page = [\"oncall@example.com\"]\n{text}");
    let (config, _) = crate::check::parse(Path::new(&path), &text).expect("a valid environment file");
    crate::synth::synth(&config).expect("a sound module")
}

/// The block at an address.
pub(crate) fn at<'r>(root: &'r Root, address: &str) -> &'r Node {
    root.find(address).unwrap_or_else(|| panic!("there is no {address}"))
}

/// The value at a path of keys and list positions, documents looked into.
pub(crate) fn dig<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').filter(|key| !key.is_empty()).fold(value, |value, key| {
        let value = match value {
            Value::Document(document) => &document.content,
            other => other,
        };
        let found = match key.parse::<usize>() {
            Ok(index) => value.as_list().and_then(|items| items.get(index)),
            Err(_) => value.get(key),
        };
        found.unwrap_or_else(|| panic!("there is no `{key}` of {path}"))
    })
}

fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    dig(value, path).as_str().unwrap_or_else(|| panic!("{path} is no literal text"))
}

fn container_of(root: &Root) -> &Value {
    dig(at(root, "aws_ecs_task_definition.main").body(), "container_definitions.0")
}

fn depends(root: &Root, from: &str, to: &str) -> bool {
    at(root, from).edges().iter().any(|edge| root.nodes()[edge.to].address().to_string() == to)
}

/// The names and values, or sources, of a container's variables.
fn pairs(container: &Value, key: &str, value: &str) -> Vec<String> {
    let entries = container.get(key).and_then(Value::as_list).unwrap_or_default();
    entries.iter().map(|entry| format!("{}={}", text(entry, "name"), written(dig(entry, value)))).collect()
}

#[test]
fn the_container_is_locked_down_with_every_option() {
    for root in [production(""), development("image = \"v1\"\nexec = true")] {
        let container = container_of(&root);
        assert_eq!(dig(container, "readonlyRootFilesystem"), &Value::Bool(true));
        assert_eq!(text(container, "user"), "10001:10001");
        assert_eq!(container.get("privileged"), None);
        assert_eq!(text(container, "linuxParameters.capabilities.drop.0"), "ALL");
        // Present though empty: ECS hands it back, and its absence would replace the definition on every plan.
        assert_eq!(dig(container, "linuxParameters.capabilities.add"), &Value::List(Vec::new()));
        assert_eq!(text(container, "logConfiguration.logDriver"), "awslogs");
        assert_eq!(text(container, "logConfiguration.options.mode"), "blocking");
        let definition = at(&root, "aws_ecs_task_definition.main");
        assert_eq!(text(definition.body(), "network_mode"), "awsvpc");
        assert_eq!(definition.argument("pid_mode"), None);
    }
}

#[test]
fn every_mounted_directory_is_a_volume_of_the_task() {
    for (root, expected) in [
        (production(""), Vec::new()),
        (
            development("image = \"v1\"\nexec = true"),
            vec!["/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm"],
        ),
    ] {
        let container = container_of(&root);
        let mounts = container.get("mountPoints").and_then(Value::as_list).unwrap_or_default();
        let paths: Vec<&str> = mounts.iter().map(|mount| text(mount, "containerPath")).collect();
        assert_eq!(paths, expected);
        let volumes = at(&root, "aws_ecs_task_definition.main").argument("volume").and_then(Value::as_list);
        let volumes: Vec<&str> = volumes.unwrap_or_default().iter().map(|v| text(v, "name")).collect();
        let mounted: Vec<&str> = mounts.iter().map(|mount| text(mount, "sourceVolume")).collect();
        assert_eq!(mounted, volumes);
    }
}

/// In memory, where any user of any image may write; an undeclared volume of Fargate's would be root's.
#[test]
fn whoever_asks_for_a_temporary_directory_can_write_to_it() {
    let asked = "user_id = 20000\n[service.sidecars.agent]\nimage = \"sha256:8f5f2d0e2a6b43c1c0f3a4d7b9e18c5d6a7f90123b4c5d6e7f8091a2b3c4d5e6\"\n\
                 repository = \"999988887777.dkr.ecr.us-east-1.amazonaws.com/agent\"\n\
                 [services.office]\npaths = [\"/office\"]\nimage = \"v1\"\n[services.hooks]\npaths = [\"/hooks\"]\nimage = \"v1\"\n";
    let root = production(asked);
    let memory = |definition: &str, container: usize| {
        let body = at(&root, &format!("aws_ecs_task_definition.{definition}")).body();
        let container = dig(body, &format!("container_definitions.{container}"));
        assert!(container.get("mountPoints").and_then(Value::as_list).is_none_or(<[Value]>::is_empty));
        let tmpfs =
            dig(container, "linuxParameters").get("tmpfs").and_then(Value::as_list).unwrap_or_default();
        let size = |tmpfs: &Value| (text(tmpfs, "containerPath").to_owned(), dig(tmpfs, "size").clone());
        tmpfs.iter().map(size).collect::<Vec<(String, Value)>>()
    };
    let tmp = [("/tmp".to_owned(), Value::Number(64.into()))];
    assert_eq!(memory("main", 0), tmp);
    assert_eq!(memory("main", 1), tmp);
    assert_eq!(memory("office", 0), tmp);
    assert_eq!(memory("hooks", 0), tmp);
}

/// AWS announced no such file systems outside the commercial regions, where the image gives a volume to its user.
#[test]
fn elsewhere_the_temporary_directory_is_a_volume_of_the_image() {
    let text = "organization = \"acme\"\nproject = \"txn-reconcile\"\naccount_id = \"111122223333\"\nregion = \"us-gov-west-1\"\n\
                domain = \"reconcile.example.com\"\n[network]\ncidr = \"10.30.0.0/16\"\n[service]\ncontract = \"txn-reconcile-api\"\nimage = \"v1\"\n";
    let root = synthesized("gov", text);
    let container = container_of(&root);
    assert_eq!(container.get("linuxParameters").and_then(|linux| linux.get("tmpfs")), None);
    assert_eq!(dig(container, "mountPoints.0.containerPath"), &Value::string("/tmp"));
}

#[test]
fn the_image_is_the_repository_and_a_digest() {
    let root = production("");
    let Value::Expression(image) = dig(container_of(&root), "image") else { panic!("not a template") };
    let terraform::Expression::Template(parts) = image.as_ref() else { panic!("not a template") };
    assert_eq!(parts.last().and_then(Value::as_str), Some(format!("@sha256:{}", "ab".repeat(32)).as_str()));
    assert!(depends(&root, "aws_ecs_task_definition.main", "aws_ecr_repository.main"));

    let elsewhere = "image_repository = \"444455556666.dkr.ecr.eu-west-1.amazonaws.com/team/api\"";
    let root = production(elsewhere);
    let image = text(container_of(&root), "image");
    assert!(image.starts_with("444455556666.dkr.ecr.eu-west-1.amazonaws.com/team/api@sha256:"), "{image}");
}

#[test]
fn the_platform_sets_its_variables_and_the_file_the_others() {
    let root = production(
        "stop_timeout_seconds = 90\n[service.environment]\nRECONCILE_LOG_LEVEL = \"debug\"\nA = \"${x}\"\n[service.secrets]\n\
         KEY = \"arn:aws:secretsmanager:us-east-1:111122223333:secret:partner-AbCdEf:key::\"\n",
    );
    let container = container_of(&root);
    assert_eq!(
        pairs(container, "environment", "value"),
        [
            "A=${x}",
            "RECONCILE_AUDIT_BUCKET=aws_s3_bucket.audit.id",
            "RECONCILE_AUDIT_TABLE=aws_dynamodb_table.audit.name",
            "RECONCILE_ENVIRONMENT=prod",
            "RECONCILE_KEEP_ALIVE_SECONDS=65",
            "RECONCILE_LISTEN_ADDRESS=0.0.0.0:8080",
            "RECONCILE_LOG_LEVEL=debug",
            "RECONCILE_METRICS_ADDRESS=0.0.0.0:9464",
            "RECONCILE_RECORDS_TABLE=aws_dynamodb_table.records.name",
            "RECONCILE_STATEMENTS_BUCKET=aws_s3_bucket.statements.id",
            "RECONCILE_STOP_TIMEOUT_SECONDS=90",
            "RECONCILE_STORE=dynamodb",
        ]
    );
    assert_eq!(
        pairs(container, "secrets", "valueFrom"),
        [
            "KEY=arn:aws:secretsmanager:us-east-1:111122223333:secret:partner-AbCdEf:key::",
            "RECONCILE_ADMIN_KEY=aws_secretsmanager_secret.admin_key.arn",
            "RECONCILE_SIGNING_KEY=aws_secretsmanager_secret.signing_key.arn",
        ]
    );
    assert_eq!(dig(container, "stopTimeout"), &Value::Number(90.into()));
}

#[test]
fn the_service_is_told_of_the_store_that_it_uses_alone() {
    let root = production("[data]\nstore = \"postgres\"\ndynamodb.enabled = true");
    let told = pairs(container_of(&root), "environment", "value");
    for expected in [
        "RECONCILE_STORE=postgres",
        "RECONCILE_DATABASE_HOST=aws_db_instance.main.address",
        "RECONCILE_DATABASE_PORT=5432",
        "RECONCILE_DATABASE_NAME=txn_reconcile",
        "RECONCILE_DATABASE_USER=txn_reconcile",
        "RECONCILE_DATABASE_CA_FILE=/etc/ssl/certs/rds-global-bundle.pem",
        "RECONCILE_STATEMENTS_BUCKET=aws_s3_bucket.statements.id",
    ] {
        assert!(told.iter().any(|pair| pair == expected), "{expected} is not in {told:?}");
    }
    assert!(!told.iter().any(|pair| pair.contains("TABLE")), "{told:?}");
}

#[test]
fn every_required_variable_is_there() {
    let root = production("");
    let container = container_of(&root);
    let names = |key: &str| -> Vec<&str> {
        dig(container, key).as_list().expect("a list").iter().map(|entry| text(entry, "name")).collect()
    };
    for var in Var::ALL {
        let (among, not_among) = match var.sensitivity() {
            Sensitivity::Plain => ("environment", "secrets"),
            Sensitivity::Secret => ("secrets", "environment"),
        };
        let set = names(among).contains(&var.name());
        assert!(set || !var.required(StoreKind::DynamoDb), "{} is not set", var.name());
        assert!(!names(not_among).contains(&var.name()), "{} is in the wrong place", var.name());
    }
    // It comes by a token of IAM.
    assert!(!names("secrets").contains(&Var::DatabasePassword.name()));
}

#[test]
fn tasks_run_in_the_private_subnets_without_public_addresses() {
    let root = production("");
    let service = at(&root, "aws_ecs_service.main");
    assert_eq!(dig(service.body(), "network_configuration.assign_public_ip"), &Value::Bool(false));
    for zone in ["a", "b", "c"] {
        assert!(depends(&root, "aws_ecs_service.main", &format!("aws_subnet.private_{zone}")));
        assert!(!depends(&root, "aws_ecs_service.main", &format!("aws_subnet.public_{zone}")));
    }
    assert!(depends(&root, "aws_ecs_service.main", "aws_security_group.tasks"));
    assert_eq!(text(service.body(), "platform_version"), "LATEST");
    assert_eq!(dig(service.body(), "enable_execute_command"), &Value::Bool(false));
}

#[test]
fn the_service_waits_for_its_listener_its_rights_and_its_alarms() {
    let root = development("image = \"v1\"\nexec = true");
    for to in [
        "aws_lb_listener.https",
        "aws_iam_role_policy.execution",
        "aws_iam_role_policy.exec",
        "aws_iam_role_policy.task",
        "aws_secretsmanager_secret_version.admin_key",
        "aws_secretsmanager_secret_version.signing_key",
        "aws_cloudwatch_metric_alarm.target_5xx",
        "aws_cloudwatch_metric_alarm.unhealthy_tasks",
    ] {
        assert!(depends(&root, "aws_ecs_service.main", to), "{to}");
    }
    assert!(depends(&root, "aws_ecs_cluster.main", "aws_cloudwatch_log_group.insights"));
}

#[test]
fn another_owners_arguments_are_left_to_it() {
    let ignored = |root: &Root, address: &str| at(root, address).ignore_changes().to_vec();
    let service = "aws_ecs_service.main";
    assert_eq!(ignored(&production(""), service), ["desired_count"]);
    let pipeline = production("[service.deployment]\nstrategy = \"external\"");
    assert_eq!(ignored(&pipeline, service), ["desired_count", "task_definition"]);

    let target = "aws_appautoscaling_target.tasks";
    assert!(ignored(&production(""), target).is_empty());
    let scheduled = production(
        "[[service.schedule]]\nname = \"office-hours\"\ncron = \"0 7 ? * MON-FRI *\"\nmin = 3\nmax = 9",
    );
    assert_eq!(ignored(&scheduled, target), ["max_capacity", "min_capacity"]);
    assert!(scheduled.find("aws_appautoscaling_scheduled_action.office_hours").is_some());
}

#[test]
fn nothing_runs_until_an_image_is_named() {
    for strategy in ["rolling", "external", "blue-green"] {
        let root = development(&format!(
            "deployment.strategy = \"{strategy}\"\n[services.office]\npaths = [\"/office\"]"
        ));
        for kind in ["aws_ecs_service", "aws_ecs_task_definition", "aws_appautoscaling", "aws_codedeploy"] {
            let built = root.nodes().iter().find(|node| node.address().kind().starts_with(kind));
            assert!(built.is_none(), "{strategy}: {kind}");
        }
        // Traffic that CodeDeploy moved goes back to where the next first deployment's tasks register.
        assert!(at(&root, "aws_lb_listener.https").ignore_changes().is_empty(), "{strategy}");
        let told = at(&root, "aws_cloudwatch_event_rule.deployment_failed").body();
        assert!(format!("{told:?}").contains("service/txn-reconcile-dev/"), "{told:?}");
    }
}

/// Whoever deploys later images, the first one is Terraform's, which starts as many tasks as should run and sees whether
/// they do.
#[test]
fn the_apply_that_makes_a_service_waits_for_its_tasks() {
    for (strategy, waits) in [("rolling", true), ("external", true), ("blue-green", false)] {
        let root = production(&format!("deployment.strategy = \"{strategy}\""));
        let service = at(&root, "aws_ecs_service.main").body();
        assert_eq!(dig(service, "wait_for_steady_state"), &Value::Bool(waits), "{strategy}");
        assert_eq!(dig(service, "desired_count"), &Value::Number(3.into()), "{strategy}");
    }
}

#[test]
fn a_deployment_is_rolled_back_unless_that_is_switched_off() {
    let root = production(
        "[service.deployment]\ncircuit_breaker = false\nmaximum_percent = 100\nminimum_healthy_percent = 50",
    );
    let service = at(&root, "aws_ecs_service.main").body();
    assert_eq!(dig(service, "deployment_circuit_breaker.rollback"), &Value::Bool(false));
    assert_eq!(service.get("alarms"), None);
    // There is no room for a task more.
    assert_eq!(text(service, "availability_zone_rebalancing"), "DISABLED");

    let service = production("");
    let service = at(&service, "aws_ecs_service.main").body();
    assert_eq!(dig(service, "deployment_circuit_breaker.rollback"), &Value::Bool(true));
    assert_eq!(dig(service, "alarms.rollback"), &Value::Bool(true));
    assert_eq!(text(service, "availability_zone_rebalancing"), "ENABLED");
}

#[test]
fn sessions_are_encrypted_and_logged_even_where_none_can_be_opened() {
    let root = production("");
    let sessions =
        dig(at(&root, "aws_ecs_cluster.main").body(), "configuration.execute_command_configuration");
    assert_eq!(text(sessions, "logging"), "OVERRIDE");
    assert_eq!(dig(sessions, "log_configuration.cloud_watch_encryption_enabled"), &Value::Bool(true));
    for to in ["aws_kms_key.logs", "aws_kms_key.data", "aws_cloudwatch_log_group.exec"] {
        assert!(depends(&root, "aws_ecs_cluster.main", to), "{to}");
    }
}

#[test]
fn revisions_stay_where_things_are_protected() {
    let kept = |root: &Root| dig(at(root, "aws_ecs_task_definition.main").body(), "skip_destroy").clone();
    assert_eq!(kept(&production("")), Value::Bool(true));
    let development = development("image = \"v1\"");
    assert_eq!(kept(&development), Value::Bool(false));
    // Even so the running one is there to be rolled back to until the new one runs.
    let written = development.render("").into_iter().find(|(file, _)| file == "ecs.tf.json");
    assert!(written.is_some_and(|(_, text)| text.contains("\"create_before_destroy\": true")));
}

#[test]
fn task_and_execution_are_two_roles() {
    let root = production("");
    let definition = at(&root, "aws_ecs_task_definition.main");
    let role = |argument: &str| {
        let edge = definition.edges().iter().find(|edge| edge.argument.as_deref() == Some(argument));
        root.nodes()[edge.expect("a role").to].address().to_string()
    };
    assert_eq!(role("task_role_arn"), "aws_iam_role.task");
    assert_eq!(role("execution_role_arn"), "aws_iam_role.execution");
}

#[test]
fn the_tables_of_postgresql_are_made_by_a_task_of_its_own() {
    let root = production("[data]\nstore = \"postgres\"");
    let definition = at(&root, "aws_ecs_task_definition.migrate");
    let container = dig(definition.body(), "container_definitions.0");
    assert_eq!(written(dig(container, "command.0")), "migrate");
    assert_eq!(
        pairs(container, "secrets", "valueFrom"),
        [
            "RECONCILE_DATABASE_PASSWORD=aws_db_instance.main.master_user_secret[Index(0)].secret_arn:password::",
            "RECONCILE_DATABASE_USER=aws_db_instance.main.master_user_secret[Index(0)].secret_arn:username::",
        ]
    );
    assert!(!pairs(container, "environment", "value").iter().any(|pair| pair.contains("DATABASE_USER")));
    // It makes tables, and calls nothing of AWS.
    assert!(definition.argument("task_role_arn").is_none());
    assert!(depends(&root, "aws_ecs_task_definition.migrate", "aws_iam_role.migrate"));
    let without = production("[data]\npostgres.enabled = true");
    assert!(without.find("aws_ecs_task_definition.migrate").is_none());
}

/// README applies the task definition alone and runs it: whatever a run takes comes with it.
#[test]
fn the_task_that_makes_the_tables_brings_what_a_run_of_it_takes() {
    for (engine, database) in
        [("instance", "aws_db_instance.main"), ("aurora-serverless", "aws_rds_cluster_instance.main_1")]
    {
        let root = production(&format!("[data]\nstore = \"postgres\"\npostgres.engine = \"{engine}\""));
        let mut reached = std::collections::BTreeSet::new();
        let mut open = vec!["aws_ecs_task_definition.migrate".to_owned()];
        while let Some(address) = open.pop() {
            let edges = at(&root, &address).edges().iter();
            open.extend(
                edges
                    .map(|edge| root.nodes()[edge.to].address().to_string())
                    .filter(|to| !reached.contains(to)),
            );
            reached.insert(address);
        }
        for needed in [
            database,
            "aws_ecs_cluster.main",
            "aws_iam_role_policy.migrate",
            "aws_cloudwatch_log_group.service",
            "aws_vpc_endpoint.ecr_dkr",
            "aws_vpc_endpoint.secretsmanager",
            "aws_vpc_endpoint.s3",
            "aws_vpc_security_group_egress_rule.tasks_to_data",
            "aws_vpc_security_group_ingress_rule.data_from_tasks",
            "aws_vpc_security_group_ingress_rule.endpoints_from_tasks",
            "aws_subnet.private_a",
            "aws_route_table_association.private_a",
        ] {
            assert!(reached.contains(needed), "{engine}: {needed} does not come along");
        }
    }
}

const SIDECAR: &str = "[service.sidecars.collector]\nfirst = true\n\
    repository = \"999988887777.dkr.ecr.us-east-1.amazonaws.com/agents/collector\"\n\
    image = \"sha256:8f5f2d0e2a6b43c1c0f3a4d7b9e18c5d6a7f90123b4c5d6e7f8091a2b3c4d5e6\"\n\
    health_command = [\"/collector\", \"health\"]\n\
    secrets.API_KEY = \"arn:aws:secretsmanager:us-east-1:111122223333:secret:collector-AbCdEf\"\n";

#[test]
fn a_sidecar_is_as_confined_as_the_service() {
    let root = production(SIDECAR);
    let task = at(&root, "aws_ecs_task_definition.main").body();
    let sidecar = dig(task, "container_definitions.1");
    assert_eq!(text(sidecar, "name"), "collector");
    assert_eq!(text(sidecar, "user"), "10002:10002");
    assert_eq!(dig(sidecar, "readonlyRootFilesystem"), &Value::Bool(true));
    assert_eq!(text(sidecar, "linuxParameters.capabilities.drop.0"), "ALL");
    assert_eq!(text(sidecar, "logConfiguration.options.mode"), "blocking");
    assert_eq!(sidecar.get("mountPoints"), None);
    assert_eq!(text(dig(task, "container_definitions.0"), "dependsOn.0.condition"), "HEALTHY");
}

#[test]
fn a_sidecar_brings_the_rights_that_it_takes_to_start_it() {
    let sids = |root: &Root| -> Vec<String> {
        let policy = at(root, "aws_iam_role_policy.execution").body();
        let statements = dig(policy, "policy.Statement").as_list().expect("statements");
        statements.iter().map(|statement| text(statement, "Sid").to_owned()).collect()
    };
    let with = production(SIDECAR);
    for sid in ["PullSidecars", "WriteSidecarLogs"] {
        assert!(sids(&with).iter().any(|there| there == sid), "{sid}");
        assert!(!sids(&production("")).iter().any(|there| there == sid), "{sid}");
    }
    let policy = at(&with, "aws_iam_role_policy.execution").body();
    let secrets = format!("{:?}", dig(policy, "policy.Statement"));
    assert!(secrets.contains("secret:collector-AbCdEf"), "{secrets}");
}
