//! Requirements 2.2, 6 and 8.6: tasks, images, and how they change.

use serde_json::Value;

use super::{Row, row};
use crate::config::credential;
use crate::control::platform::{Outcome, Platform, Resource, address, given, list, of_everybody, texts};

const TASK: &str = "aws_ecs_task_definition";

/// What stores or handles records.
const HANDLES: [&str; 7] = [
    TASK,
    "aws_ecs_service",
    "aws_dynamodb_table",
    "aws_db_instance",
    "aws_rds_cluster",
    "aws_s3_bucket",
    "aws_secretsmanager_secret",
];

pub(super) const ROWS: &[Row] = &[
    row(
        "R022",
        "no container can write to its root filesystem",
        |p| containers(p, |c| c["readonlyRootFilesystem"] == true),
        &[
            (TASK, "container_definitions.0.readonlyRootFilesystem", "false"),
            (TASK, "container_definitions", "[]"),
        ],
    ),
    row(
        "R023",
        "no container is privileged",
        |p| containers(p, |c| c["privileged"] != true),
        &[(TASK, "container_definitions.0.privileged", "true")],
    ),
    row(
        "R024",
        "every container names a user, who is not root",
        |p| {
            containers(p, |c| {
                let user = c["user"].as_str().unwrap_or("root").split(':').next().unwrap_or_default().trim();
                !["root", ""].contains(&user) && user.parse::<u64>() != Ok(0)
            })
        },
        &[
            (TASK, "container_definitions.0.user", "null"),
            (TASK, "container_definitions.0.user", "\"0:0\""),
            (TASK, "container_definitions.0.user", "\"000\""),
        ],
    ),
    row(
        "R025",
        "no task shares the host's processes or network",
        |p| {
            p.each(TASK, |r| {
                r.at("pid_mode").is_null() && r.at("ipc_mode").is_null() && r.text("network_mode") == "awsvpc"
            })
        },
        &[(TASK, "pid_mode", "\"host\""), (TASK, "network_mode", "\"host\"")],
    ),
    row(
        "R026",
        "no service of production lets a shell in",
        |p| p.each("aws_ecs_service", |r| r.is("enable_execute_command", false)),
        &[("aws_ecs_service", "enable_execute_command", "true")],
    ),
    row(
        "R029",
        "every provider tags what it makes with environment, owner, classification and scope, and what stores or handles \
         records is neither tagged as out of scope nor as public",
        |p| {
            let kept = |tags: &Value| {
                let no = |tag: &str, values: &[&str]| !values.iter().any(|value| tags[tag] == *value);
                no("pci_scope", &["out-of-scope"]) && no("data_classification", &["public", "internal"])
            };
            p.each("provider", |r| {
                let tags = ["Environment", "Owner", "data_classification", "pci_scope"];
                tags.iter().all(|tag| !r.text(&format!("default_tags.tags.{tag}")).is_empty())
                    && kept(r.at("default_tags.tags"))
            })
            .and(p.each_of(&HANDLES, |r| kept(r.at("tags"))))
        },
        &[
            ("provider", "default_tags.tags.pci_scope", "\"out-of-scope\""),
            (TASK, "tags", "{\"pci_scope\":\"out-of-scope\"}"),
            ("provider", "default_tags", "null"),
            ("provider", "default_tags.0.tags.pci_scope", "\"\""),
        ],
    ),
    row(
        "R059",
        "every repository scans what is pushed",
        |p| p.each("aws_ecr_repository", |r| r.is("image_scanning_configuration.scan_on_push", true)),
        &[("aws_ecr_repository", "image_scanning_configuration.scan_on_push", "false")],
    ),
    row(
        "R060",
        "the registry scans every image without end",
        |p| {
            p.each("aws_ecr_registry_scanning_configuration", |r| {
                r.text("scan_type") == "ENHANCED"
                    && r.text("rule.scan_frequency") == "CONTINUOUS_SCAN"
                    && r.text("rule.repository_filter.filter") == "*"
            })
        },
        &[
            ("aws_ecr_registry_scanning_configuration", "scan_type", "\"BASIC\""),
            ("aws_ecr_registry_scanning_configuration", "rule.0.scan_frequency", "\"SCAN_ON_PUSH\""),
        ],
    ),
    row(
        "R123",
        "no repository lets another account pull or push",
        |p| {
            let own = |statement: &Value| {
                let people = texts(&statement["Principal"]["AWS"]);
                statement["Effect"] != "Allow"
                    || (!of_everybody(statement)
                        && people.iter().all(|arn| p.is_own(arn) && !arn.contains('*')))
            };
            p.each("aws_ecr_repository", |_| true)
                .and(p.any_of(&["aws_ecr_repository_policy"], |r| r.statements("policy").iter().all(own)))
        },
        &[(
            "aws_ecr_repository_policy",
            "policy",
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::999999999999:root"]},"Action":["ecr:BatchGetImage"]}]}"#,
        )],
    ),
    row(
        "R061",
        "every service runs on Fargate's latest platform",
        |p| p.each("aws_ecs_service", |r| r.text("platform_version") == "LATEST"),
        &[("aws_ecs_service", "platform_version", "\"1.3.0\"")],
    ),
    row(
        "R069",
        "ECS rather than CodeDeploy rolls a deployment back, when its tasks fail or its alarms ring; who approves a \
         deployment is a matter of the pipeline",
        |p| {
            p.each("aws_ecs_service", |r| {
                r.all(&["deployment_circuit_breaker.enable", "deployment_circuit_breaker.rollback"])
                    && r.all(&["alarms.enable", "alarms.rollback"])
                    && !r.refers("alarms.alarm_names").is_empty()
            })
        },
        &[
            ("aws_ecs_service", "deployment_circuit_breaker.rollback", "false"),
            ("aws_ecs_service", "alarms.alarm_names", "[]"),
        ],
    ),
    row(
        "R070",
        "production's account, state and keys are no other environment's",
        |p| {
            let own = |p: &Platform, kind: &str, path: &str| -> Vec<String> {
                p.of_kind(kind).flat_map(|r| r.texts(path)).map(str::to_owned).collect()
            };
            let apart = |kind: &str, path: &str| {
                let ours = own(p, kind, path);
                !ours.is_empty()
                    && p.siblings.iter().all(|other| own(other, kind, path).iter().all(|t| !ours.contains(t)))
            };
            p.each("provider", |_| apart("provider", "allowed_account_ids"))
                .and(p.each("backend", |_| apart("backend", "key") && apart("backend", "bucket")))
                .and(p.each("aws_kms_alias", |_| apart("aws_kms_alias", "name")))
                .and(given(!p.siblings.is_empty(), "no other environment"))
        },
        &[
            ("provider.aws0", "allowed_account_ids", "[\"111122223333\"]"),
            ("backend.s3", "key", "\"envs/dev/terraform.tfstate\""),
        ],
    ),
    row(
        "R071",
        "no image can be replaced under its tag",
        |p| p.each("aws_ecr_repository", |r| r.text("image_tag_mutability") == "IMMUTABLE"),
        &[("aws_ecr_repository", "image_tag_mutability", "\"MUTABLE\"")],
    ),
    row(
        "R072",
        "every container's image is of a repository of this platform, by digest",
        |p| {
            containers(p, |c| {
                let image = c["image"].as_str().unwrap_or_default();
                let digest = image.split_once("@sha256:").map_or("", |(_, digest)| digest);
                address(image).is_some_and(|a| p.get(a).is_some_and(|_| a.starts_with("aws_ecr_repository.")))
                    && digest.len() == 64
            })
        },
        &[
            (TASK, "container_definitions.0.image", "\"${aws_ecr_repository.main.repository_url}:latest\""),
            (
                TASK,
                "container_definitions.0.image",
                "\"nginx@sha256:8f5f2d0e2a6b43c1c0f3a4d7b9e18c5d6a7f90123b4c5d6e7f8091a2b3c4d5e6\"",
            ),
        ],
    ),
    row(
        "R074",
        "no task runs as the role that starts it: those of a service have another, the others may have none",
        |p| {
            let serve: Vec<&str> =
                p.of_kind("aws_ecs_service").flat_map(|r| r.refers("task_definition")).collect();
            p.each(TASK, |r| {
                let (task, execution) = (r.refers("task_role_arn"), r.refers("execution_role_arn"));
                !execution.is_empty()
                    && task != execution
                    && (!task.is_empty() || !serve.contains(&r.address))
            })
        },
        &[
            ("aws_ecs_task_definition.main", "task_role_arn", "\"${aws_iam_role.execution.arn}\""),
            ("aws_ecs_task_definition.main", "task_role_arn", "null"),
            ("aws_ecs_task_definition.hooks", "task_role_arn", "\"${aws_iam_role.hooks__execution.arn}\""),
            ("aws_ecs_task_definition.back_office", "task_role_arn", "null"),
            ("aws_ecs_task_definition.migrate", "task_role_arn", "\"${aws_iam_role.migrate.arn}\""),
            (TASK, "execution_role_arn", "null"),
        ],
    ),
    row(
        "R084",
        "no variable of a container has the name of a secret or of AWS's keys, and no variable, command or health check has a \
         value that looks like one; secrets come by reference",
        |p| {
            containers(p, |c| {
                let secret = |e: &Value| {
                    let name = e["name"].as_str().unwrap_or_default().to_uppercase();
                    let words = [
                        "SECRET",
                        "PASSWORD",
                        "PASSWD",
                        "TOKEN",
                        "CREDENTIAL",
                        "ACCESS_KEY",
                        "PRIVATE",
                        "API_KEY",
                    ];
                    let value = e["value"].as_str().unwrap_or_default();
                    words.iter().any(|word| name.contains(word))
                        || name.ends_with("_KEY")
                        || credential(value).is_some()
                };
                let words = ["command", "entryPoint"].iter().flat_map(|key| list(&c[*key]));
                let mut words = words.chain(list(&c["healthCheck"]["command"])).filter_map(Value::as_str);
                let referred = |s: &Value| {
                    let from = s["valueFrom"].as_str().unwrap_or_default();
                    let elsewhere = from.starts_with("arn:") && from.contains(":secretsmanager:");
                    elsewhere || address(from).is_some_and(|a| p.get(a).is_some())
                };
                !list(&c["environment"]).iter().any(secret)
                    && !words.any(|word| credential(word).is_some())
                    && list(&c["secrets"]).iter().all(referred)
            })
        },
        &[
            (TASK, "container_definitions.0.environment.0.name", "\"DB_PASSWORD\""),
            (TASK, "container_definitions.0.environment.0.value", "\"sk_live_51H8xT2eZvKYlo2C0a9b8c7d\""),
            (
                TASK,
                "container_definitions.0.environment.0.value",
                "\"postgres://app:hunter2@db.example.com/x\"",
            ),
            (TASK, "container_definitions.0.command", "[\"serve\",\"--key=AKIAIOSFODNN7EXAMPLE\"]"),
            (TASK, "container_definitions.0.entryPoint", "[\"sh\",\"-c\",\"curl -u app:hunter2 https://x\"]"),
            (TASK, "container_definitions.0.secrets.0.valueFrom", "\"hunter2\""),
        ],
    ),
    row(
        "R101",
        "every container logs to a group of this platform and waits rather than loses a line",
        |p| {
            containers(p, |c| {
                let log = &c["logConfiguration"];
                log["logDriver"] == "awslogs"
                    && log["options"]["mode"] == "blocking"
                    && log["options"]["awslogs-group"]
                        .as_str()
                        .and_then(address)
                        .is_some_and(|a| p.get(a).is_some())
            })
        },
        &[
            (TASK, "container_definitions.0.logConfiguration.options.mode", "\"non-blocking\""),
            (TASK, "container_definitions.0.logConfiguration.options.mode", "null"),
        ],
    ),
];

/// Every container of every task definition has to be so; each task definition has one.
fn containers(p: &Platform, so: impl Fn(&Value) -> bool) -> Outcome {
    p.each(TASK, |r: Resource| {
        let containers = r.blocks("container_definitions");
        !containers.is_empty() && containers.iter().all(&so)
    })
}
