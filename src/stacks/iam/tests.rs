//! What must hold of every role, in production and with every option.

use terraform::{Node, Root, Value};

use crate::stacks::ecs::tests::{at, development, dig, production, synthesized};
use crate::stacks::probe::{all_written, condition};

const OPERATORS: &str = "[iam]\noperators = [\"arn:aws:iam::111122223333:user/ada\"]\noperator_session_hours = 2\n\
                         operator_mfa_age_seconds = 1800";

const SECRETS: &str = "[service.secrets]\n\
    A = \"arn:aws:secretsmanager:us-east-1:111122223333:secret:partner-AbCdEf:key:AWSCURRENT:\"\n\
    B = \"arn:aws:secretsmanager:us-east-1:111122223333:secret:partner-AbCdEf\"\n\
    C = \"arn:aws:secretsmanager:us-east-1:111122223333:secret:other-AbCdEf\"";

fn every_option() -> Root {
    development(&format!("image = \"v1\"\nexec = true\n{SECRETS}\n{OPERATORS}"))
}

fn statements<'r>(node: &'r Node, argument: &str) -> &'r [Value] {
    dig(node.body(), &format!("{argument}.Statement")).as_list().expect("a list")
}

fn statement<'r>(root: &'r Root, role: &str, sid: &str) -> &'r Value {
    let all = statements(at(root, &format!("aws_iam_role_policy.{role}")), "policy");
    let found = all.iter().find(|s| s.get("Sid").and_then(Value::as_str) == Some(sid));
    found.unwrap_or_else(|| panic!("{role} has no statement {sid}"))
}

fn texts<'v>(value: &'v Value, path: &str) -> Vec<&'v str> {
    dig(value, path).as_list().expect("a list").iter().filter_map(Value::as_str).collect()
}

fn policies(root: &Root) -> impl Iterator<Item = &Node> {
    root.nodes().iter().filter(|node| node.address().kind() == "aws_iam_role_policy")
}

#[test]
fn no_action_is_a_wildcard() {
    for root in [production(SECRETS), every_option()] {
        for node in policies(&root) {
            for statement in statements(node, "policy") {
                let actions = texts(statement, "Action");
                assert!(actions.iter().all(|action| !action.contains('*')), "{}", node.address());
            }
        }
    }
}

/// Actions that change or reveal something and that AWS knows no resource for.
const UNBOUNDED: [&str; 6] = [
    "ecr:GetAuthorizationToken",
    "logs:StopQuery",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
];

#[test]
fn on_every_resource_one_may_only_look() {
    for root in [production(SECRETS), every_option()] {
        for node in policies(&root) {
            for statement in statements(node, "policy") {
                // A denial on everything allows nothing.
                let denies = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
                if denies || texts(statement, "Resource") != ["*"] {
                    continue;
                }
                for action in texts(statement, "Action") {
                    let verb = action.split(':').nth(1).expect("service:Verb");
                    let looks = ["Describe", "Get", "List"].iter().any(|v| verb.starts_with(v));
                    assert!(looks || UNBOUNDED.contains(&action), "{}: {action}", node.address());
                }
            }
        }
    }
}

#[test]
fn tasks_of_this_account_and_region_alone_assume_the_roles() {
    let root = production("");
    for role in ["task", "execution"] {
        let trust = &statements(at(&root, &format!("aws_iam_role.{role}")), "assume_role_policy")[0];
        assert_eq!(texts(trust, "Principal.Service"), ["ecs-tasks.amazonaws.com"]);
        let condition = dig(trust, "Condition.StringEquals").get("aws:SourceAccount");
        assert_eq!(condition.and_then(Value::as_str), Some("111122223333"));
        let condition = dig(trust, "Condition.ArnLike").get("aws:SourceArn");
        assert_eq!(condition.and_then(Value::as_str), Some("arn:aws:ecs:us-east-1:111122223333:*"));
    }
}

#[test]
fn the_task_role_may_open_sessions_only_where_exec_is_on() {
    let of_task = |root: &Root| -> Vec<String> {
        let task = root.nodes().iter().position(|n| n.address().to_string() == "aws_iam_role.task");
        let of_task = policies(root).filter(|node| node.edges().iter().any(|edge| Some(edge.to) == task));
        of_task.map(|node| node.address().name().to_owned()).collect()
    };
    assert_eq!(of_task(&production("")), ["task"]);
    assert_eq!(of_task(&every_option()), ["task", "exec"]);
}

/// What a role's policy allows: `Sid: actions on resources`.
fn allowed(root: &Root, role: &str) -> Vec<String> {
    let all = statements(at(root, &format!("aws_iam_role_policy.{role}")), "policy");
    all.iter()
        .map(|statement| {
            let sid = statement.get("Sid").and_then(Value::as_str).expect("an id");
            let resources = all_written(dig(statement, "Resource")).join(" ");
            format!("{sid}: {} on {resources}", texts(statement, "Action").join(" "))
        })
        .collect()
}

/// Every action that the service has, to be read by whoever reviews a change of it.
#[test]
fn the_task_role_may_do_what_the_contract_lists_and_no_more() {
    let root = production("");
    assert_eq!(
        allowed(&root, "task"),
        [
            "ReadRecords: dynamodb:GetItem dynamodb:Query on aws_dynamodb_table.records.arn",
            "WriteRecords: dynamodb:ConditionCheckItem dynamodb:DeleteItem dynamodb:PutItem on \
             aws_dynamodb_table.records.arn",
            "ListDue: dynamodb:Query on aws_dynamodb_table.records.arn/index/due",
            "AppendAudit: dynamodb:PutItem on aws_dynamodb_table.audit.arn",
            "ReadAudit: dynamodb:Query on aws_dynamodb_table.audit.arn",
            "WriteObjects: s3:AbortMultipartUpload s3:PutObject on aws_s3_bucket.statements.arn/*",
            "ReadObjects: s3:GetObject on aws_s3_bucket.statements.arn/*",
            "FindObjects: s3:ListBucket on aws_s3_bucket.statements.arn",
            "WriteAnchors: s3:PutObject on aws_s3_bucket.audit.arn/audit-anchors/*",
            "ReadAnchors: s3:GetObject on aws_s3_bucket.audit.arn/audit-anchors/*",
            "FindAnchors: s3:ListBucket on aws_s3_bucket.audit.arn",
            "EncryptStatements: kms:Decrypt kms:GenerateDataKey on aws_kms_key.data.arn",
            "EncryptAnchors: kms:Decrypt kms:GenerateDataKey on aws_kms_key.logs.arn",
            "EncryptRecords: kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:ReEncryptFrom \
             kms:ReEncryptTo on aws_kms_key.data.arn",
        ]
    );
    let postgres = production("[data]\nstore = \"postgres\"\ndynamodb.enabled = true");
    let allowed = allowed(&postgres, "task");
    assert_eq!(
        allowed[0],
        "Connect: rds-db:connect on \
         arn:aws:rds-db:us-east-1:111122223333:dbuser:aws_db_instance.main.resource_id/txn_reconcile"
    );
    // The tables are there, and are none of the service's.
    assert!(!allowed.iter().any(|statement| statement.contains("dynamodb")), "{allowed:?}");
    let prefix = condition(statement(&root, "task", "FindAnchors"), "s3:prefix");
    assert_eq!(prefix, [Value::string("audit-anchors/*")]);
    for key in ["EncryptStatements", "EncryptAnchors", "EncryptRecords"] {
        assert_eq!(condition(statement(&root, "task", key), "kms:ViaService").len(), 1, "{key}");
    }
}

#[test]
fn each_configured_secret_is_read_and_no_other() {
    let root = production(SECRETS);
    let own = ["aws_secretsmanager_secret.admin_key.arn", "aws_secretsmanager_secret.signing_key.arn"];
    let arns = [
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:other-AbCdEf",
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:partner-AbCdEf",
    ];
    let read = |root: &Root| all_written(dig(statement(root, "execution", "ReadSecrets"), "Resource"));
    assert_eq!(read(&root), [&own[..], &arns].concat());
    let decrypt = statement(&root, "execution", "DecryptSecrets");
    assert_eq!(
        dig(decrypt, "Condition.StringEquals").get("kms:ViaService").and_then(Value::as_str),
        Some("secretsmanager.us-east-1.amazonaws.com")
    );
    assert_eq!(read(&production("")), own);
}

#[test]
fn who_makes_the_tables_of_postgresql_reads_no_secret_of_the_service() {
    let root = production("[data]\nstore = \"postgres\"");
    let read = |role: &str| all_written(dig(statement(&root, role, "ReadSecrets"), "Resource"));
    assert_eq!(read("migrate"), ["aws_db_instance.main.master_user_secret[Index(0)].secret_arn"]);
    assert!(!read("execution").contains(&read("migrate")[0]));
}

#[test]
fn an_image_from_elsewhere_is_pulled_from_there() {
    let root = production("image_repository = \"444455556666.dkr.ecr.eu-west-1.amazonaws.com/team/api\"");
    assert_eq!(
        texts(statement(&root, "execution", "PullImage"), "Resource"),
        ["arn:aws:ecr:eu-west-1:444455556666:repository/team/api"]
    );
}

#[test]
fn operators_show_a_second_factor() {
    assert!(production("").find("aws_iam_role.operator").is_none());
    let root = every_option();
    let role = at(&root, "aws_iam_role.operator");
    let trust = &statements(role, "assume_role_policy")[0];
    assert_eq!(texts(trust, "Principal.AWS"), ["arn:aws:iam::111122223333:user/ada"]);
    let factor = dig(trust, "Condition.Bool").get("aws:MultiFactorAuthPresent");
    assert_eq!(factor.and_then(Value::as_str), Some("true"));
    let age = dig(trust, "Condition.NumericLessThan").get("aws:MultiFactorAuthAge");
    assert_eq!(age.and_then(Value::as_str), Some("1800"));
    assert_eq!(role.argument("max_session_duration"), Some(&Value::Number(7200.into())));
}

#[test]
fn operators_open_sessions_only_where_exec_is_on_and_never_around_ecs() {
    let actions = |root: &Root| -> Vec<String> {
        let all = statements(at(root, "aws_iam_role_policy.operator"), "policy");
        let allowed = all.iter().filter(|s| s.get("Effect").and_then(Value::as_str) == Some("Allow"));
        allowed.flat_map(|s| texts(s, "Action")).map(str::to_owned).collect()
    };
    let production = production(OPERATORS);
    let changes = |action: &str| {
        let verb = action.split(':').nth(1).unwrap_or_default();
        !["Describe", "Filter", "Get", "List", "StartQuery", "StopQuery"].iter().any(|v| verb.starts_with(v))
    };
    assert_eq!(actions(&production).iter().filter(|action| changes(action)).count(), 0);

    let root = every_option();
    let open = statement(&root, "operator", "OpenSession");
    assert_eq!(
        texts(open, "Resource"),
        [
            "arn:aws:ecs:us-east-1:111122223333:cluster/txn-reconcile-dev",
            "arn:aws:ecs:us-east-1:111122223333:task/txn-reconcile-dev/*",
        ]
    );
    for root in [&production, &root] {
        let bare = statement(root, "operator", "NoBareSession");
        assert_eq!(bare.get("Effect").and_then(Value::as_str), Some("Deny"));
        assert_eq!(texts(bare, "Action"), ["ssm:StartSession"]);
    }
}

#[test]
fn a_boundary_bounds_every_role() {
    let boundary = "arn:aws:iam::111122223333:policy/boundary";
    let root = development(&format!("image = \"v1\"\n{OPERATORS}\npermissions_boundary = \"{boundary}\""));
    for role in ["task", "execution", "operator"] {
        let argument = at(&root, &format!("aws_iam_role.{role}")).argument("permissions_boundary");
        assert_eq!(argument.and_then(Value::as_str), Some(boundary));
    }
}

#[test]
fn names_stay_within_the_limit_of_roles() {
    // The longest prefix that the names of target groups leave room for.
    let root = synthesized(
        "stage",
        "organization = \"acme\"\nproject = \"abcdefghijklmnopqrst\"\naccount_id = \"111122223333\"\n\
         region = \"us-east-1\"\ndomain = \"reconcile.example.com\"\nservice.contract = \"txn-reconcile-api\"\n[network]\ncidr = \"10.30.0.0/16\"\n\
         [iam]\noperators = [\"arn:aws:iam::111122223333:user/ada\"]",
    );
    for role in ["task", "execution", "operator"] {
        let name = at(&root, &format!("aws_iam_role.{role}")).argument("name").and_then(Value::as_str);
        assert!(name.is_some_and(|name| name.len() <= crate::config::names::ROLE_MAX), "{name:?}");
    }
}

#[test]
fn nothing_names_another_partition() {
    for (region, partition) in [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")] {
        let root = synthesized(
            "dev",
            &format!(
                "organization = \"acme\"\naccount_id = \"111122223333\"\nregion = \"{region}\"\n\
                 domain = \"reconcile.example.com\"\nproduction = false\n[network]\ncidr = \"10.30.0.0/16\"\n\
                 [service]\ncontract = \"txn-reconcile-api\"\nimage = \"v1\"\nexec = true\n[service.secrets]\n\
                 A = \"arn:{partition}:secretsmanager:{region}:111122223333:secret:a-AbCdEf\"\n\
                 [iam]\noperators = [\"arn:{partition}:iam::111122223333:user/ada\"]"
            ),
        );
        let written: String = root.render("").into_iter().map(|(_, text)| text).collect();
        assert!(written.contains(&format!("arn:{partition}:ecs:{region}:111122223333:")));
        assert!(!written.contains("arn:aws:"), "{region}");
        let via = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        assert!(written.contains(&format!("\"secretsmanager.{region}.{via}\"")), "{region}");
    }
}
