use std::collections::BTreeMap;
use std::path::Path;

use terraform::{Key, Root, Value};

use super::*;
use crate::check;
use crate::stacks::probe::{allows, at, condition, node, nodes, statement, statements, text_at, texts};

pub(super) const GITHUB: &str = "[github]\nrepository = \"acme/platform\"\n";

/// An environment of that name.
pub(super) fn environment(name: &str, text: &str) -> EnvConfig {
    in_region("us-east-1", name, text)
}

fn in_region(region: &str, name: &str, text: &str) -> EnvConfig {
    let head = format!(
        "organization = \"acme\"\naccount_id = \"111122223333\"\nregion = \"{region}\"\n\
         domain = \"reconcile.example.com\"\nnetwork.cidr = \"10.30.0.0/16\"\nalarms.page = [\"oncall@example.com\"]\n\
         service.contract = \"txn-reconcile-api\"\n"
    );
    let path = format!("{name}.toml");
    check::parse(Path::new(&path), &format!("{head}{text}")).unwrap_or_else(|report| panic!("{report}")).0
}

/// The module of the account that these share.
pub(super) fn module(environments: &[EnvConfig]) -> Root {
    let accounts = accounts(environments).expect("agreement");
    assert_eq!(accounts.len(), 1);
    build(&accounts[0], OwnState::Local).expect("a module without faults")
}

fn prod() -> Root {
    module(&[environment("prod", GITHUB)])
}

fn actions(statement: &Value) -> Vec<&str> {
    texts(statement.get("Action").expect("actions"))
}

#[test]
fn the_backend_of_the_environments_is_what_is_made() {
    let root = prod();
    let config = environment("prod", GITHUB);
    assert_eq!(text_at(node(&root, "aws_s3_bucket.state"), "bucket"), config.state.bucket.as_str());
    assert_eq!(text_at(node(&root, "aws_dynamodb_table.state"), "name"), config.state.lock_table.as_str());
    assert_eq!(text_at(node(&root, "aws_dynamodb_table.state"), "hash_key"), "LockID");
    let alias = text_at(node(&root, "aws_kms_alias.state"), "name");
    assert!(config.state.kms_key_arn.as_str().ends_with(&format!(":{alias}")), "{alias}");
}

#[test]
fn the_state_is_encrypted_versioned_logged_and_hard_to_lose() {
    let root = prod();
    for name in ["state", "state_logs"] {
        assert!(node(&root, &format!("aws_s3_bucket.{name}")).prevent_destroy());
        let versioning = node(&root, &format!("aws_s3_bucket_versioning.{name}"));
        assert_eq!(text_at(versioning, "versioning_configuration.status"), "Enabled");
        assert!(
            statement(node(&root, &format!("aws_s3_bucket_policy.{name}")), "policy", "TlsOnly").is_some()
        );
        node(&root, &format!("aws_s3_bucket_public_access_block.{name}"));
    }
    node(&root, "aws_s3_bucket_logging.state");
    let key = node(&root, "aws_kms_key.state");
    assert!(key.prevent_destroy());
    assert_eq!(at(key, "enable_key_rotation"), &Value::Bool(true));
    // The current state never expires.
    let rule = at(node(&root, "aws_s3_bucket_lifecycle_configuration.state"), "rule");
    assert!(rule.as_list().expect("rules")[0].get("expiration").is_none());
    let fleeting = module(&[environment("dev", "production = false\nprotection = false")]);
    assert!(fleeting.nodes().iter().all(|node| !node.prevent_destroy()));
}

#[test]
fn what_is_not_used_or_exists_already_is_not_made() {
    let root = module(&[environment("prod", "state.lock = \"lockfile\"\n")]);
    assert!(nodes(&root, "aws_dynamodb_table").is_empty());
    assert!(
        nodes(&root, "aws_iam_role").is_empty() && nodes(&root, "aws_iam_openid_connect_provider").is_empty()
    );
    let key =
        "state.kms_key = \"arn:aws:kms:us-east-1:111122223333:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6f\"\n";
    let root = module(&[environment("prod", key)]);
    assert!(nodes(&root, "aws_kms_key").is_empty());
    let provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    let root = module(&[environment("prod", &format!("{GITHUB}oidc_provider = \"{provider}\"\n"))]);
    assert!(nodes(&root, "aws_iam_openid_connect_provider").is_empty());
    let trust = &statements(node(&root, "aws_iam_role.prod_apply"), "assume_role_policy")[0];
    assert_eq!(
        texts(trust.get("Principal").and_then(|p| p.get("Federated")).expect("a provider")),
        [provider]
    );
}

/// Whoever plans looks up what exists already.
#[test]
fn the_plan_role_sees_what_is_looked_up() {
    let text = r#"
[storage.access_bucket]
name = "acme-access"
elsewhere = "The account factory"
[kms.keys]
logs = "arn:aws:kms:us-east-1:111122223333:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e61"
data = "arn:aws:kms:us-east-1:111122223333:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e62"
secrets = "arn:aws:kms:us-east-1:111122223333:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e63"
artifacts = "arn:aws:kms:us-east-1:111122223333:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e64"
elsewhere = "The security team"
"#;
    let root = module(&[environment("prod", &format!("{GITHUB}{text}"))]);
    let look = statement(node(&root, "aws_iam_role_policy.prod_plan"), "policy", "SeeSettings").expect("one");
    for action in ["ec2:Describe*", "kms:Describe*", "s3:GetBucket*"] {
        assert!(actions(look).contains(&action), "{action}");
    }
    let buckets =
        statement(node(&root, "aws_iam_role_policy.prod_plan"), "policy", "SeeBuckets").expect("one");
    let buckets = texts(buckets.get("Resource").expect("resources"));
    assert!(buckets.contains(&"arn:aws:s3:::acme-access") && !buckets.contains(&"*"), "{buckets:?}");
    let apply = statement(node(&root, "aws_iam_role_policy.prod_apply"), "policy", "Platform").expect("one");
    for action in ["ec2:*", "kms:*", "s3:*"] {
        assert!(actions(apply).contains(&action), "{action}");
    }
}

/// The conditions of each statement of a role's trust, without the host in their keys.
fn trust(root: &Root, role: &str) -> Vec<BTreeMap<String, Vec<String>>> {
    let of = |statement: &Value| {
        let keys =
            entries(statement.get("Condition").expect("conditions")).iter().flat_map(|(operator, keys)| {
                entries(keys).iter().map(move |(key, values)| {
                    let key = key.strip_prefix("token.actions.githubusercontent.com:").expect("GitHub's");
                    let key =
                        if operator == "StringEquals" { key.to_owned() } else { format!("{operator} {key}") };
                    let values = values.as_str().map_or_else(|| texts(values), |value| vec![value]);
                    (key, values.into_iter().map(str::to_owned).collect())
                })
            });
        keys.collect()
    };
    statements(node(root, role), "assume_role_policy").iter().map(of).collect()
}

fn entries(object: &Value) -> &[(Key, Value)] {
    match object {
        Value::Object(entries) => entries,
        other => panic!("{other:?}"),
    }
}

fn conditions<const N: usize>(all: [(&str, &str); N]) -> BTreeMap<String, Vec<String>> {
    all.into_iter().map(|(key, value)| (key.to_owned(), vec![value.to_owned()])).collect()
}

/// Exactly one form of the subject, and the workflow as it was merged: what is let in for an image gets no role to apply.
#[test]
fn roles_trust_one_subject_of_one_workflow() {
    let numbers = "owner_id = 12\nrepository_id = 345\n";
    let names = format!("{numbers}immutable_subject = false\n");
    for (more, repository, id) in [
        (numbers, "acme@12/platform@345", Some("345")),
        (names.as_str(), "acme/platform", Some("345")),
        ("", "acme/platform", None),
    ] {
        let text = format!("{EXTERNAL}{GITHUB}environment = \"live\"\nbranch = \"trunk\"\n{more}");
        let root = module(&[environment("prod", &text)]);
        let expected = |subject: &str, reference: (&str, &str)| {
            let mut all = conditions([
                ("aud", "sts.amazonaws.com"),
                ("sub", &format!("repo:{repository}:{subject}")),
                reference,
            ]);
            all.extend(id.map(|id| ("repository_id".to_owned(), vec![id.to_owned()])));
            all
        };
        let merged =
            |workflow: &str| format!("acme/platform/.github/workflows/{workflow}.yml@refs/heads/trunk");
        let live =
            |workflow: &str| vec![expected("environment:live", ("job_workflow_ref", &merged(workflow)))];
        assert_eq!(trust(&root, "aws_iam_role.prod_apply"), live("tf-environment"));
        assert_eq!(trust(&root, "aws_iam_role.prod_push"), live("ci-build"));
        assert_eq!(trust(&root, "aws_iam_role.prod_deploy"), live("ci-build"));
        let pull_requests = "acme/platform/.github/workflows/tf-environment.yml@refs/pull/*/merge";
        assert_eq!(
            trust(&root, "aws_iam_role.prod_plan"),
            [
                expected("ref:refs/heads/trunk", ("job_workflow_ref", &merged("tf-environment"))),
                expected("pull_request", ("StringLike job_workflow_ref", pull_requests)),
            ]
        );
    }
}

/// A condition on a claim that AWS does not look at would never be met.
#[test]
fn elsewhere_than_in_commercial_regions_the_subject_alone_is_looked_at() {
    let text = format!("{GITHUB}owner_id = 12\nrepository_id = 345\n");
    let root = module(&[in_region("us-gov-west-1", "prod", &text)]);
    let expected = [("aud", "sts.amazonaws.com"), ("sub", "repo:acme@12/platform@345:environment:prod")];
    assert_eq!(trust(&root, "aws_iam_role.prod_apply"), [conditions(expected)]);
}

const EXTERNAL: &str = "service.deployment.strategy = \"external\"\n";
const BLUE_GREEN: &str = "service.deployment.strategy = \"blue-green\"\n";

/// The actions that a role's policy allows on these resources; each of its statements names its own.
fn allowed<'r>(root: &'r Root, role: &str, resource: &str) -> Vec<&'r str> {
    let policy = node(root, &format!("aws_iam_role_policy.{role}"));
    let about = |statement: &&Value| {
        allows(statement) && texts(statement.get("Resource").expect("resources")).contains(&resource)
    };
    statements(policy, "policy").iter().filter(about).flat_map(|statement| actions(statement)).collect()
}

#[test]
fn the_push_role_reaches_the_environments_repository_alone() {
    let root = prod();
    assert_eq!(allowed(&root, "prod_push", "*"), ["ecr:GetAuthorizationToken"]);
    let repository = "arn:aws:ecr:us-east-1:111122223333:repository/txn-reconcile-api";
    let push = allowed(&root, "prod_push", repository);
    assert!(push.contains(&"ecr:PutImage") && push.iter().all(|action| action.starts_with("ecr:")));
    assert!(!push.iter().any(|action| action.contains("Delete") || action.contains('*')));
    assert_eq!(statements(node(&root, "aws_iam_role_policy.prod_push"), "policy").len(), 2);
    assert!(node(&root, "aws_iam_role.prod_push").argument("permissions_boundary").is_some());
    let elsewhere = "service.image_repository = \"222233334444.dkr.ecr.eu-west-1.amazonaws.com/api\"\n";
    let root = module(&[environment("prod", &format!("{elsewhere}{GITHUB}"))]);
    let look = allowed(&root, "prod_push", "arn:aws:ecr:eu-west-1:222233334444:repository/api");
    assert_eq!(look, crate::stacks::iam::PULL);
}

/// It verifies signatures before it plans, which lie beside the images.
#[test]
fn the_plan_role_looks_at_images_and_pushes_none() {
    let elsewhere = "service.image_repository = \"222233334444.dkr.ecr.eu-west-1.amazonaws.com/api\"\n";
    let root = module(&[environment("prod", &format!("{elsewhere}{GITHUB}"))]);
    for repository in
        ["us-east-1:111122223333:repository/txn-reconcile-api", "eu-west-1:222233334444:repository/api"]
    {
        assert_eq!(
            allowed(&root, "prod_plan", &format!("arn:aws:ecr:{repository}")),
            crate::stacks::iam::PULL
        );
    }
}

#[test]
fn who_deploys_has_a_role_of_its_own_only_where_terraform_does_not() {
    let roles = |text: &str| nodes(&module(&[environment("prod", text)]), "aws_iam_role").len();
    assert_eq!(roles(GITHUB), 3);
    assert_eq!(roles(&format!("{EXTERNAL}{GITHUB}")), 4);
    let named = "iam.pipeline_role = \"arn:aws:iam::111122223333:role/pipeline\"\n";
    assert_eq!(roles(&format!("{named}{EXTERNAL}{GITHUB}")), 2);
}

#[test]
fn the_deploy_role_passes_the_tasks_roles_and_changes_the_one_service() {
    let root = module(&[environment("prod", &format!("{EXTERNAL}{GITHUB}"))]);
    let policy = node(&root, "aws_iam_role_policy.prod_deploy");
    let pass = statement(policy, "policy", "PassTaskRoles").expect("a permission");
    assert_eq!(
        texts(pass.get("Resource").expect("resources")),
        ["task", "execution"].map(|name| format!("arn:aws:iam::111122223333:role/txn-reconcile-prod-{name}"))
    );
    assert_eq!(condition(pass, "iam:PassedToService"), [Value::string("ecs-tasks.amazonaws.com")]);
    let service = "arn:aws:ecs:us-east-1:111122223333:service/txn-reconcile-prod/txn-reconcile-api";
    assert_eq!(allowed(&root, "prod_deploy", service), ["ecs:DescribeServices", "ecs:UpdateService"]);
    assert_eq!(allowed(&root, "prod_deploy", "*"), ["ecs:DescribeTaskDefinition"]);
    let revisions =
        "arn:aws:ecs:us-east-1:111122223333:task-definition/txn-reconcile-prod-txn-reconcile-api:*";
    assert_eq!(allowed(&root, "prod_deploy", revisions), ["ecs:RegisterTaskDefinition", "ecs:TagResource"]);
    let shell = statement(policy, "policy", "NoShell").expect("a denial");
    assert_eq!(condition(shell, "ecs:enable-execute-command"), [Value::string("true")]);
    assert!(node(&root, "aws_iam_role.prod_deploy").argument("permissions_boundary").is_some());

    let root = module(&[environment("prod", &format!("{BLUE_GREEN}{GITHUB}"))]);
    let group =
        "arn:aws:codedeploy:us-east-1:111122223333:deploymentgroup:txn-reconcile-prod/txn-reconcile-api";
    assert!(allowed(&root, "prod_deploy", group).contains(&"codedeploy:CreateDeployment"));
    assert!(allowed(&root, "prod_deploy", service).is_empty());
    // An hour for the tasks, five minutes for the traffic, an hour with the old tasks, half an hour to spare.
    assert_eq!(
        at(node(&root, "aws_iam_role.prod_deploy"), "max_session_duration"),
        &Value::Number(terraform::Number::Int(3 * 3600))
    );
}

#[test]
fn the_pipelines_roles_reach_the_further_services_that_are_theirs() {
    let services = "[services.hooks]\npaths = [\"/hooks/*\"]\ndeployment.strategy = \"external\"\n\
                    [services.office]\nhosts = [\"office.example.com\"]\n";
    let root = module(&[environment("prod", &format!("{GITHUB}{services}"))]);
    for repository in ["txn-reconcile-api", "txn-reconcile-api/hooks", "txn-reconcile-api/office"] {
        let arn = format!("arn:aws:ecr:us-east-1:111122223333:repository/{repository}");
        assert!(allowed(&root, "prod_push", &arn).contains(&"ecr:PutImage"), "{repository}");
    }
    let service =
        |name: &str| format!("arn:aws:ecs:us-east-1:111122223333:service/txn-reconcile-prod/{name}");
    assert_eq!(
        allowed(&root, "prod_deploy", &service("hooks")),
        ["ecs:DescribeServices", "ecs:UpdateService"]
    );
    for name in ["office", "txn-reconcile-api"] {
        assert!(allowed(&root, "prod_deploy", &service(name)).is_empty(), "{name}");
    }
    let policy = node(&root, "aws_iam_role_policy.prod_deploy");
    let pass = statement(policy, "policy", "PassTaskRoles").expect("a permission");
    assert_eq!(
        texts(pass.get("Resource").expect("resources")),
        ["task", "execution"]
            .map(|name| format!("arn:aws:iam::111122223333:role/txn-reconcile-prod-hooks-{name}"))
    );
}

/// The first image is named when the roles are there already.
#[test]
fn the_roles_are_able_to_deploy_before_there_is_an_image() {
    for strategy in ["rolling", "external", "blue-green"] {
        let services = |image: &str| {
            let main = if image.is_empty() { String::new() } else { format!("service.{image}") };
            let further = format!("[services.office]\npaths = [\"/office\"]\n{image}");
            format!("{main}service.deployment.strategy = \"{strategy}\"\n{further}{GITHUB}")
        };
        let rendered = |image| module(&[environment("prod", &services(image))]).render("");
        assert!(rendered("") == rendered("image = \"v1\"\n"), "{strategy}");
    }
}

/// The roles that the platform itself makes for the tasks are those that are passed.
#[test]
fn the_roles_that_are_passed_exist() {
    let config = environment("prod", &format!("{EXTERNAL}{GITHUB}"));
    let root = synth(&config).expect("a module without faults");
    for (local, arn) in
        ["task", "execution"].iter().zip(crate::names::role::task_arns(&config, config.main_service()))
    {
        let name = text_at(node(&root, &format!("aws_iam_role.{local}")), "name");
        assert!(arn.ends_with(&format!(":role/{name}")), "{arn}");
    }
}

#[test]
fn the_plan_role_changes_nothing_and_reads_no_secret() {
    let root = prod();
    let changes =
        ["Create", "Put", "Delete", "Update", "Attach", "Tag", "Modify", "Run", "Start", "Stop", "Set"];
    for statement in statements(node(&root, "aws_iam_role_policy.prod_plan"), "policy") {
        for action in actions(statement).into_iter().filter(|_| allows(statement)) {
            let (_, name) = action.split_once(':').expect("a service and an action");
            assert!(!changes.iter().any(|change| name.starts_with(change)), "{action}");
            assert!(name != "*" && !action.contains("SecretValue"), "{action}");
        }
    }
    let denied =
        statement(node(&root, "aws_iam_role_policy.prod_plan"), "policy", "NoSecrets").expect("a denial");
    assert!(!allows(denied) && actions(denied).contains(&"secretsmanager:GetSecretValue"));
}

#[test]
fn the_apply_role_makes_no_role_outside_the_boundary() {
    let root = prod();
    let arn = "arn:aws:iam::111122223333:policy/bootstrap/txn-reconcile-prod-boundary";
    let boundary = node(&root, "aws_iam_policy.prod_boundary");
    let without = statement(boundary, "policy", "NoRoleWithout").expect("a denial");
    assert_eq!(condition(without, "iam:PermissionsBoundary"), [Value::string(arn)]);
    for action in
        ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"]
    {
        assert!(actions(without).contains(&action), "{action}");
    }
    let around = statement(boundary, "policy", "NoWayAround").expect("a denial");
    assert!(actions(around).contains(&"iam:DeleteRolePermissionsBoundary"));
    assert!(node(&root, "aws_iam_role.prod_apply").argument("permissions_boundary").is_some());
    let apply = node(&root, "aws_iam_role_policy.prod_apply");
    for statement in statements(apply, "policy") {
        let iam: Vec<_> =
            actions(statement).into_iter().filter(|action| action.starts_with("iam:")).collect();
        assert!(!iam.contains(&"iam:*"), "{iam:?}");
        if iam.contains(&"iam:CreateRole") {
            assert!(!condition(statement, "iam:PermissionsBoundary").is_empty());
        }
    }
}

/// Every role of the platform, so that the apply role can make it.
#[test]
fn every_role_of_the_environment_bears_the_boundary() {
    let config = environment("prod", GITHUB);
    let root = synth(&config).expect("a module without faults");
    let roles = nodes(&root, "aws_iam_role");
    assert!(roles.len() > 2);
    for role in roles {
        assert_eq!(
            text_at(role, "permissions_boundary"),
            "arn:aws:iam::111122223333:policy/bootstrap/txn-reconcile-prod-boundary",
            "{}",
            role.address()
        );
        assert!(text_at(role, "name").starts_with("txn-reconcile-prod-"), "{}", role.address());
    }
}

#[test]
fn the_apply_role_works_where_the_environment_does() {
    let text = format!("recovery.region = \"us-west-2\"\n{GITHUB}");
    let root = module(&[environment("prod", &text)]);
    let apply = node(&root, "aws_iam_role_policy.prod_apply");
    let platform = statement(apply, "policy", "Platform").expect("a permission");
    let regions = condition(platform, "aws:RequestedRegion");
    assert_eq!(regions, [Value::string("us-east-1"), Value::string("us-west-2")]);
    assert!(actions(platform).contains(&"ecs:*") && !actions(platform).contains(&"route53:*"));
    assert!(!actions(platform).contains(&"codecommit:*"));
}

#[test]
fn roles_are_passed_to_the_services_that_they_trust_alone() {
    let root = prod();
    let apply = node(&root, "aws_iam_role_policy.prod_apply");
    let pass = statement(apply, "policy", "PassRoles").expect("a permission");
    let services = condition(pass, "iam:PassedToService");
    assert!(services.contains(&Value::string("ecs-tasks.amazonaws.com")), "{services:?}");
    assert!(!services.contains(&Value::string("ec2.amazonaws.com")), "{services:?}");
    let recorder = statement(apply, "policy", "PassRecorderRole").expect("a permission");
    assert_eq!(condition(recorder, "iam:PassedToService"), [Value::string("config.amazonaws.com")]);
}

/// AWS takes no tags with the creation of a service-linked role: the provider tags each one that the module makes.
#[test]
fn service_linked_roles_that_the_module_makes_can_be_tagged() {
    let config = environment("prod", GITHUB);
    let platform = synth(&config).expect("a module without faults");
    let made = nodes(&platform, "aws_iam_service_linked_role");
    assert!(!made.is_empty());
    let root = prod();
    for role in made {
        let service = text_at(role, "aws_service_name");
        let arn = format!("arn:aws:iam::111122223333:role/aws-service-role/{service}/*");
        let allowed = allowed(&root, "prod_apply", &arn);
        assert_eq!(allowed, ["iam:TagRole", "iam:UntagRole", "iam:UpdateRole"], "{}", role.address());
    }
    let there = environment("prod", &format!("detection.config_service_role = false\n{GITHUB}"));
    let apply = module(&[there]);
    let own = statement(node(&apply, "aws_iam_role_policy.prod_apply"), "policy", "OwnServiceRoles");
    assert!(own.is_none(), "it tags no role that it does not make");
}

#[test]
fn an_environment_of_an_account_is_closed_to_the_others() {
    let other = environment("stage", &format!("account.baseline = false\n{GITHUB}"));
    let root = module(&[environment("prod", GITHUB), other]);
    assert_eq!(nodes(&root, "aws_iam_openid_connect_provider").len(), 1);
    assert_eq!(nodes(&root, "aws_iam_role").len(), 6);
    let policy = node(&root, "aws_s3_bucket_policy.state");
    let only = statement(policy, "policy", "Onlyprod").expect("a denial");
    assert!(!allows(only));
    let principals = condition(only, "aws:PrincipalArn");
    assert!(principals.contains(&Value::string("arn:aws:iam::111122223333:role/bootstrap/*")));
    assert!(
        principals
            .contains(&Value::string("arn:aws:iam::111122223333:role/bootstrap/txn-reconcile-prod-apply"))
    );
    assert!(
        statement(policy, "policy", "Onlystage").is_some()
            && statement(policy, "policy", "OnlyPeople").is_some()
    );
    let trail =
        statement(node(&root, "aws_iam_policy.stage_boundary"), "policy", "TrailStays").expect("a denial");
    assert!(actions(trail).contains(&"cloudtrail:UpdateTrail"));
}

#[test]
fn environments_of_an_account_agree_or_are_told_so() {
    let elsewhere = environment("stage", "state.bucket = \"elsewhere-tfstate\"\n");
    let both = [environment("prod", ""), elsewhere];
    let disagreement = accounts(&both).expect_err("two places");
    assert!(disagreement.to_string().contains("`prod` and `stage`"), "{disagreement}");
}

#[test]
fn the_modules_own_state_moves_into_the_bucket() {
    let environments = [environment("prod", GITHUB)];
    let accounts = accounts(&environments).expect("agreement");
    let rendered = |own| {
        let files = build(&accounts[0], own).expect("a module without faults").render("");
        files.into_iter().find(|(name, _)| name == "terraform.tf.json").expect("a file").1
    };
    assert!(!rendered(OwnState::Local).contains("backend"));
    assert!(rendered(OwnState::Bucket).contains("\"key\": \"bootstrap/terraform.tfstate\""));
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>: 6,144 characters in a managed policy,
/// 10,240 in all that stand in a role.
#[test]
fn policies_fit_into_their_quotas() {
    let text = prod().render("");
    let (_, github) = text.into_iter().find(|(name, _)| name == "github.tf.json").expect("a file");
    let compact: String = github.split_whitespace().collect();
    let document = |from: &str, to: &str| {
        let start = compact.find(from).expect("a document");
        compact[start..].find(to).expect("another one")
    };
    assert!(document("aws_iam_policy_prod_boundary_policy", "aws_iam_role_policy_prod_apply_policy") < 6_144);
    assert!(
        document("aws_iam_role_policy_prod_apply_policy", "aws_iam_role_policy_prod_plan_policy") < 8_000
    );
}
