//! What an attacker is after, and the calls that would reach it.

use super::world::{Call, World};

/// What is worth an attack.
pub struct Asset {
    pub name: &'static str,
    pub calls: Vec<Call>,
}

fn call(action: &'static str, resource: impl Into<String>) -> Call {
    // No service of AWS calls in the attacker's name.
    let absent: &[&str] = if action.starts_with("kms:") { &["kms:ViaService"] } else { &[] };
    Call { action, resource: resource.into(), context: Vec::new(), absent }
}

fn calls(actions: &[&'static str], resource: &str) -> Vec<Call> {
    actions.iter().map(|action| call(action, resource)).collect()
}

/// The same call, about whose request more is known.
fn with(mut call: Call, key: &'static str, value: impl Into<String>) -> Call {
    call.context.push((key, value.into()));
    call
}

/// Every asset of an environment, with the calls that reach it.
pub fn assets(world: &World) -> Vec<Asset> {
    let asset = |name, calls: Vec<Vec<Call>>| Asset { name, calls: calls.into_iter().flatten().collect() };
    vec![
        asset("card data", card_data(world)),
        asset("secrets", secrets(world)),
        asset("keys", keys(world)),
        asset("logs", logs(world)),
        asset("detection", detection(world)),
        asset("state", state(world)),
        asset("boundary", boundary(world)),
        asset("account", account(world)),
        asset("code that runs", code(world)),
    ]
}

fn card_data(world: &World) -> Vec<Vec<Call>> {
    let table =
        world.arn("dynamodb", &format!("table/{}", world.of_resource("aws_dynamodb_table.records", "name")));
    vec![
        calls(
            &[
                "dynamodb:GetItem",
                "dynamodb:Scan",
                "dynamodb:PartiQLSelect",
                "dynamodb:DeleteItem",
                "dynamodb:DeleteTable",
                "dynamodb:ExportTableToPointInTime",
                "dynamodb:PutResourcePolicy",
            ],
            &table,
        ),
        calls(&["s3:GetObject", "s3:DeleteObjectVersion"], &world.bucket("statements", "/tenant/a.csv")),
        calls(&["kms:Decrypt"], &world.key("data")),
    ]
}

fn secrets(world: &World) -> Vec<Vec<Call>> {
    let secret = world.of_resource("aws_secretsmanager_secret.signing_key", "name");
    let secret = world.arn("secretsmanager", &format!("secret:{secret}-AbCdEf"));
    vec![
        calls(&["secretsmanager:GetSecretValue", "secretsmanager:PutResourcePolicy"], &secret),
        calls(&["kms:Decrypt"], &world.key("secrets")),
        calls(&["ssm:GetParameter"], &world.arn("ssm", "parameter/of/somebody")),
    ]
}

fn keys(world: &World) -> Vec<Vec<Call>> {
    let of = |name: &str| {
        let key = world.key(name);
        let mut all = calls(&["kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy"], &key);
        all.push(with(call("kms:CreateGrant", &key), "kms:GrantIsForAWSResource", "false"));
        all
    };
    vec![of("data"), of("logs"), of("secrets"), of("state")]
}

fn logs(world: &World) -> Vec<Vec<Call>> {
    let audit = |below: &str| world.bucket("audit", below);
    let delivered = audit(&format!("/AWSLogs/{}/CloudTrail/a.json.gz", world.account));
    let group = |name: &str| {
        let name = world.of_resource(&format!("aws_cloudwatch_log_group.{name}"), "name");
        world.arn("logs", &format!("log-group:{name}"))
    };
    let audit_table = world.of_resource("aws_dynamodb_table.audit", "name");
    vec![
        calls(&["s3:GetObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"], &delivered),
        calls(&["s3:PutBucketPolicy", "s3:DeleteBucket"], &audit("")),
        calls(&["logs:DeleteLogGroup"], &group("trail")),
        calls(&["logs:DeleteLogGroup"], &group("flow")),
        calls(&["logs:GetLogEvents"], &format!("{}:log-stream:service/api/1", group("service"))),
        calls(&["logs:Unmask"], &group("service")),
        calls(
            &["dynamodb:PutItem", "dynamodb:DeleteItem"],
            &world.arn("dynamodb", &format!("table/{audit_table}")),
        ),
    ]
}

fn detection(world: &World) -> Vec<Vec<Call>> {
    let trail = world.of_resource("aws_cloudtrail.main", "name");
    let trail = world.arn("cloudtrail", &format!("trail/{trail}"));
    vec![
        calls(
            &[
                "cloudtrail:StopLogging",
                "cloudtrail:DeleteTrail",
                "cloudtrail:UpdateTrail",
                "cloudtrail:PutEventSelectors",
            ],
            &trail,
        ),
        calls(
            &["config:StopConfigurationRecorder", "config:DeleteConfigurationRecorder"],
            &world.arn("config", "configuration-recorder/default/0a1b2c"),
        ),
        calls(&["config:DeleteDeliveryChannel"], "*"),
        calls(
            &["guardduty:DeleteDetector", "guardduty:UpdateDetector"],
            &world.arn("guardduty", "detector/12abc34d567e8fa901bc2d34e56789f0"),
        ),
        calls(&["guardduty:GetFindings"], "*"),
        calls(
            &["guardduty:CreateFilter"],
            &world.arn("guardduty", "detector/12abc34d567e8fa901bc2d34e56789f0/filter/quiet"),
        ),
        calls(
            &["securityhub:DisableSecurityHub", "securityhub:BatchUpdateFindings"],
            &world.arn("securityhub", "hub/default"),
        ),
        calls(&["inspector2:Disable"], "*"),
        calls(&["ec2:DeleteFlowLogs"], &world.arn("ec2", "vpc-flow-log/fl-0123456789abcdef0")),
        calls(
            &["cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions"],
            &world.arn("cloudwatch", &format!("alarm:{}-root-used", world.prefix)),
        ),
    ]
}

fn state(world: &World) -> Vec<Vec<Call>> {
    let own = world.bucket("state", &format!("/{}", world.state_key));
    let mut all = vec![
        calls(&["s3:GetObject", "s3:PutObject", "s3:DeleteObjectVersion"], &own),
        calls(&["s3:GetObject", "s3:PutObject"], &world.bucket("state", "/bootstrap/terraform.tfstate")),
        calls(&["s3:PutBucketPolicy"], &world.bucket("state", "")),
        calls(&["kms:Decrypt"], &world.key("state")),
    ];
    if world.resources.contains_key("aws_dynamodb_table.state") {
        let table = world.of_resource("aws_dynamodb_table.state", "name");
        let table = world.arn("dynamodb", &format!("table/{table}"));
        all.push(calls(&["dynamodb:Scan", "dynamodb:DeleteTable"], &table));
        // Another environment's lock.
        all.push(vec![with(
            call("dynamodb:PutItem", &table),
            "dynamodb:LeadingKeys",
            "other/terraform.tfstate",
        )]);
    }
    all
}

fn boundary(world: &World) -> Vec<Vec<Call>> {
    let policy = world.iam(&format!("policy/bootstrap/{}-boundary", world.prefix));
    let made = world.iam(&format!("role/{}-task", world.prefix));
    let apply = world.iam(&format!("role/bootstrap/{}-apply", world.prefix));
    let without = |action| Call { absent: &["iam:PermissionsBoundary"], ..call(action, &made) };
    vec![
        calls(&["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicy"], &policy),
        vec![without("iam:CreateRole"), without("iam:PutRolePolicy")],
        calls(&["iam:DeleteRolePermissionsBoundary"], &made),
        calls(
            &["iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:DeleteRolePermissionsBoundary"],
            &apply,
        ),
    ]
}

fn account(world: &World) -> Vec<Vec<Call>> {
    let pass = |role: String, service| with(call("iam:PassRole", role), "iam:PassedToService", service);
    vec![
        calls(&["sts:AssumeRole"], &world.iam("role/OrganizationAccountAccessRole")),
        calls(&["sts:AssumeRole"], &world.iam(&format!("role/{}-task", world.prefix))),
        vec![pass(world.iam("role/OrganizationAccountAccessRole"), "ecs-tasks.amazonaws.com")],
        calls(&["iam:CreateUser", "iam:CreateAccessKey"], &world.iam("user/mallory")),
        calls(&["iam:CreateOpenIDConnectProvider"], &world.iam("oidc-provider/example.com")),
        calls(&["organizations:LeaveOrganization"], "*"),
        calls(&["account:CloseAccount"], "*"),
        calls(&["ssm:SendCommand"], &world.arn("ec2", "instance/i-0123456789abcdef0")),
        calls(&["lambda:CreateFunction"], &world.arn("lambda", "function:x")),
        calls(&["ec2:RunInstances"], &world.arn("ec2", "instance/*")),
    ]
}

/// What runs as the service, with its rights: who may say that is left with reviews.
fn code(world: &World) -> Vec<Vec<Call>> {
    let cluster = world.of_resource("aws_ecs_cluster.main", "name");
    let family = world.of_resource("aws_ecs_task_definition.main", "family");
    let service = world.of_resource("aws_ecs_service.main", "name");
    let repository = world.of_resource("aws_ecr_repository.main", "name");
    let definition = world.arn("ecs", &format!("task-definition/{family}:1"));
    let cluster_arn = world.arn("ecs", &format!("cluster/{cluster}"));
    let on = |call| with(call, "ecs:cluster", cluster_arn.clone());
    let service = world.arn("ecs", &format!("service/{cluster}/{service}"));
    let task = world.iam(&format!("role/{}-task", world.prefix));
    vec![
        calls(&["ecr:PutImage"], &world.arn("ecr", &format!("repository/{repository}"))),
        calls(&["ecs:RegisterTaskDefinition"], &definition),
        vec![on(call("ecs:UpdateService", &service)), on(call("ecs:RunTask", &definition))],
        vec![with(on(call("ecs:UpdateService", &service)), "ecs:enable-execute-command", "true")],
        vec![with(on(call("ecs:UpdateService", &service)), "ecs:auto-assign-public-ip", "true")],
        calls(&["ssm:StartSession"], &world.arn("ecs", &format!("task/{cluster}/0a1b2c"))),
        vec![on(call("ecs:ExecuteCommand", world.arn("ecs", &format!("task/{cluster}/0a1b2c"))))],
        vec![with(call("iam:PassRole", task), "iam:PassedToService", "ecs-tasks.amazonaws.com")],
    ]
}
