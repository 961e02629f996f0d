//! What who holds a role of an environment can reach, by the policies as they are rendered.

use iam_policy::{Caller, Catalog, Context, Decision, Policies, Policy, Request, Text};
use terraform::Root;

use super::tests::{GITHUB, environment, module};

const ACCOUNT: &str = "111122223333";

/// A role as rendered, or one that is made with it.
struct Holder {
    arn: String,
    identity: Vec<Policy>,
    boundary: Policy,
}

/// The document of that name among the rendered local values.
fn document(root: &Root, local: &str) -> Policy {
    let files = root.render("");
    let (_, text) = files.into_iter().find(|(name, _)| name == "github.tf.json").expect("a file");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let document = &file["locals"][local];
    Policy::read(document, &Text::terraform).unwrap_or_else(|fault| panic!("{local}: {fault}"))
}

impl Holder {
    /// The role that applies an environment.
    fn apply(root: &Root, environment: &str) -> Self {
        let local = environment.replace('-', "_");
        Self {
            arn: format!("arn:aws:iam::{ACCOUNT}:role/bootstrap/txn-reconcile-{environment}-apply"),
            identity: ["apply", "state"]
                .map(|part| document(root, &format!("aws_iam_role_policy_{local}_{part}_policy")))
                .into(),
            boundary: document(root, &format!("aws_iam_policy_{local}_boundary_policy")),
        }
    }

    /// The most that the apply role can make: a role that is allowed everything, within the boundary.
    fn made(root: &Root, environment: &str) -> Self {
        let all = serde_json::json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
        Self {
            arn: format!("arn:aws:iam::{ACCOUNT}:role/txn-reconcile-{environment}-x"),
            identity: vec![Policy::read(&all, &Text::from).expect("a policy")],
            ..Self::apply(root, environment)
        }
    }

    fn asks(&self, action: &str, resource: &str, context: Context) -> Decision {
        let context = context.with("aws:PrincipalArn", self.arn.as_str());
        let request = Request::new(Caller::role(self.arn.as_str()), action, resource, context);
        let policies =
            Policies { identity: &self.identity, boundary: Some(&self.boundary), ..Policies::default() };
        policies.decide(&request)
    }

    /// Whatever else the request says.
    fn must_not(&self, action: &str, resource: &str) {
        let decision = self.asks(action, resource, Context::unknown());
        assert!(matches!(decision, Decision::Deny(_)), "{}: {action} on {resource}: {decision}", self.arn);
    }

    fn must(&self, action: &str, resource: &str, context: Context) {
        let context = context.with("aws:RequestedRegion", "us-east-1");
        let decision = self.asks(action, resource, context);
        assert_eq!(decision, Decision::Allow, "{}: {action} on {resource}", self.arn);
    }
}

fn iam(resource: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{resource}")
}

/// Of roles and policies that are not the environment's own, and of the boundary and the workflows' roles themselves.
#[test]
fn what_the_apply_role_makes_cannot_leave_the_boundary() {
    let root = module(&[environment("prod", GITHUB)]);
    for holder in [Holder::apply(&root, "prod"), Holder::made(&root, "prod")] {
        for role in [
            iam("role/OrganizationAccountAccessRole"),
            iam("role/bootstrap/txn-reconcile-prod-apply"),
            iam("role/txn-reconcile-stage-task"),
            "arn:aws:iam::999999999999:role/txn-reconcile-prod-x".to_owned(),
        ] {
            for action in [
                "iam:AttachRolePolicy",
                "iam:CreateRole",
                "iam:DeleteRole",
                "iam:DeleteRolePermissionsBoundary",
                "iam:PassRole",
                "iam:PutRolePermissionsBoundary",
                "iam:PutRolePolicy",
                "iam:UpdateAssumeRolePolicy",
                "sts:AssumeRole",
            ] {
                holder.must_not(action, &role);
            }
        }
        for policy in [iam("policy/theirs"), iam("policy/bootstrap/txn-reconcile-prod-boundary")] {
            holder.must_not("iam:CreatePolicyVersion", &policy);
            holder.must_not("iam:SetDefaultPolicyVersion", &policy);
        }
        for (action, resource) in [
            ("iam:CreateAccessKey", iam("user/jane")),
            ("iam:CreateOpenIDConnectProvider", iam("oidc-provider/example.com")),
            ("lambda:CreateFunction", format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:x")),
            ("organizations:LeaveOrganization", "*".to_owned()),
            ("ssm:SendCommand", format!("arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-0")),
            ("ssm:StartSession", format!("arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-0")),
        ] {
            holder.must_not(action, &resource);
        }
    }
}

/// Every action of IAM's that writes, by AWS's own list of them, on what is not the environment's.
#[test]
fn no_action_of_iam_writes_to_what_is_not_the_environments() {
    let root = module(&[environment("prod", GITHUB)]);
    let holder = Holder::made(&root, "prod");
    let mut count = 0;
    for action in Catalog::recorded().actions(Some("iam")) {
        let password = action.name.ends_with("AccountPasswordPolicy");
        // AWS's services own these, and take no other's.
        let linked = action.name.ends_with("ServiceLinkedRole");
        if matches!(action.level, "Read" | "List") || password || linked {
            continue;
        }
        count += 1;
        let mut resources: Vec<String> = action.resource_arns().map(foreign).collect();
        if resources.is_empty() {
            resources.push("*".to_owned());
        }
        for resource in resources {
            holder.must_not(&action.to_string(), &resource);
        }
    }
    assert!(count > 80, "{count} actions");
}

/// A resource of this kind that is somebody else's in the account.
fn foreign(arn: &str) -> String {
    let (mut text, mut rest) = (String::new(), arn);
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').expect("a closed brace");
        text.push_str(before);
        text.push_str(match name {
            "Partition" => "aws",
            "Region" => "us-east-1",
            "Account" => ACCOUNT,
            _ => "theirs",
        });
        rest = after;
    }
    text + rest
}

#[test]
fn the_apply_role_still_makes_and_passes_its_own() {
    let root = module(&[environment("prod", GITHUB)]);
    let apply = Holder::apply(&root, "prod");
    let own = iam("role/txn-reconcile-prod-task");
    let boundary = iam("policy/bootstrap/txn-reconcile-prod-boundary");
    for action in ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"] {
        // Its own policy names the boundary by reference, which stands for the same ARN.
        let context = Context::default().with("iam:PermissionsBoundary", boundary.as_str());
        let decision = apply.asks(action, &own, context);
        assert!(!matches!(decision, Decision::Deny(_)), "{action}: {decision}");
        apply.must_not(action, &iam("role/txn-reconcile-dev-task"));
    }
    for action in ["iam:DeleteRole", "iam:UpdateAssumeRolePolicy", "iam:TagRole"] {
        apply.must(action, &own, Context::default());
    }
    apply.must(
        "iam:PassRole",
        &own,
        Context::default().with("iam:PassedToService", "ecs-tasks.amazonaws.com"),
    );
    let recorder = iam("role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig");
    apply.must(
        "iam:PassRole",
        &recorder,
        Context::default().with("iam:PassedToService", "config.amazonaws.com"),
    );
    for action in ["iam:CreateServiceLinkedRole", "iam:TagRole", "iam:DeleteServiceLinkedRole"] {
        apply.must(action, &recorder, Context::default());
    }
    apply.must("iam:UpdateAccountPasswordPolicy", "*", Context::default());
    apply.must(
        "ssm:UpdateServiceSetting",
        "arn:aws:ssm:us-east-1:111122223333:servicesetting/x",
        Context::default(),
    );
    apply.must("ecs:CreateCluster", "arn:aws:ecs:us-east-1:111122223333:cluster/x", Context::default());
    let made = Holder::made(&root, "prod");
    made.must("s3:GetObject", "arn:aws:s3:::x/y", Context::default());
}

/// `prod-eu` begins as `prod` does.
#[test]
fn an_environment_reaches_no_role_of_one_whose_name_begins_as_its_own_does() {
    let other = environment("prod-eu", &format!("account.baseline = false\n{GITHUB}"));
    let root = module(&[environment("prod", GITHUB), other]);
    let (task, policy) = (iam("role/txn-reconcile-prod-eu-task"), iam("policy/txn-reconcile-prod-eu-x"));
    for holder in [Holder::apply(&root, "prod"), Holder::made(&root, "prod")] {
        for action in ["iam:PutRolePolicy", "iam:PassRole", "iam:UpdateAssumeRolePolicy", "sts:AssumeRole"] {
            holder.must_not(action, &task);
        }
        holder.must_not("iam:CreatePolicyVersion", &policy);
    }
    Holder::apply(&root, "prod").must(
        "iam:DeleteRole",
        &iam("role/txn-reconcile-prod-task"),
        Context::default(),
    );
    let theirs = Holder::apply(&root, "prod-eu");
    theirs.must("iam:DeleteRole", &task, Context::default());
    theirs.must_not("iam:DeleteRole", &iam("role/txn-reconcile-prod-task"));
}

/// Whom an identity provider vouches for does nothing with a role that was made for a service; the workflows' own roles are
/// made for nobody else.
#[test]
fn strangers_do_nothing_with_a_role_that_trusts_them() {
    let root = module(&[environment("prod", GITHUB)]);
    let provider = iam("oidc-provider/token.actions.githubusercontent.com");
    let context = || Context::default().with("aws:FederatedProvider", provider.as_str());
    let made = Holder::made(&root, "prod").asks("s3:GetObject", "arn:aws:s3:::x/y", context());
    assert!(matches!(made, Decision::Deny(_)), "{made}");
    Holder::apply(&root, "prod").must(
        "ecs:CreateCluster",
        "arn:aws:ecs:us-east-1:111122223333:cluster/x",
        context(),
    );
}

#[test]
fn the_services_that_the_file_names_are_left_to_further_services() {
    let office = "[services.office]\npaths = [\"/office/*\"]\ntask_services = [\"ses\"]\n";
    let send = ("ses:SendEmail", "arn:aws:ses:us-east-1:111122223333:identity/example.com");
    let with = module(&[environment("prod", &format!("{GITHUB}{office}"))]);
    Holder::made(&with, "prod").must(send.0, send.1, Context::default());
    Holder::apply(&with, "prod").must_not(send.0, send.1);
    Holder::made(&module(&[environment("prod", GITHUB)]), "prod").must_not(send.0, send.1);
}
