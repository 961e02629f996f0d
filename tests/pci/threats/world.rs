//! An account as its modules render it: roles with what they are given, and the policies of what they reach for.
//!
//! References of Terraform are resolved to the ARNs that AWS would give, so that two evaluators can read the same documents.

use std::collections::BTreeMap;

use iam_policy::{Caller, Context, Decision, Policies, Policy, Request, Text};
use serde_json::{Value, json};
use terraform::Root;
use txnr::bootstrap::{self, OwnState};
use txnr::config::EnvConfig;
use txnr::control::Platform;
use txnr::synth::synth;

/// What stands for the ids that AWS makes up.
const ID: &str = "0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6f";

/// The resources of an environment and of its account's bootstrap module, by address.
#[derive(Clone)]
pub struct World {
    pub account: String,
    pub region: String,
    partition: String,
    /// What the names of the environment begin with.
    pub prefix: String,
    /// The object of the environment's state.
    pub state_key: String,
    pub resources: BTreeMap<String, Value>,
}

/// Somebody who holds a role.
#[derive(Clone)]
pub struct Holder {
    pub arn: String,
    pub identity: Vec<Value>,
    pub boundary: Option<Value>,
    /// Whether GitHub vouches for who holds it.
    pub workflow: bool,
}

impl Holder {
    /// The same with a policy more.
    pub fn and(mut self, policy: Value) -> Self {
        self.identity.push(policy);
        self
    }
}

impl World {
    /// The account in which `config` stands, with `beside` in the same account.
    pub fn of(config: &EnvConfig, beside: &[&EnvConfig]) -> Self {
        let all = [config].into_iter().chain(beside.iter().copied());
        let accounts = bootstrap::accounts(all).expect("environments of one account");
        let below = bootstrap::build(&accounts[0], OwnState::Bucket).expect("a module without faults");
        let mut world = Self {
            account: config.account_id.to_string(),
            region: config.region.to_string(),
            partition: config.partition().to_string(),
            prefix: config.names.of("").trim_end_matches('-').to_owned(),
            state_key: config.state.key.to_string(),
            resources: BTreeMap::new(),
        };
        world.add(&below);
        world.add(&synth(config).expect("a module without faults"));
        let resolved: Vec<(String, Value)> =
            world.resources.iter().map(|(address, body)| (address.clone(), world.resolved(body))).collect();
        world.resources.extend(resolved);
        world
    }

    fn add(&mut self, root: &Root) {
        let resources = Platform::of(root).resources;
        for (address, body) in resources.into_iter().filter(|(address, _)| address.starts_with("aws_")) {
            let other = self.resources.insert(address.clone(), body);
            assert!(other.is_none(), "two resources are called {address}");
        }
    }

    /// The values of a resource without references.
    fn resolved(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.resolved(item)).collect(),
            Value::Object(map) => {
                let all = map.iter().map(|(key, value)| (self.text(key), self.resolved(value)));
                Value::Object(all.collect())
            }
            other => other.clone(),
        }
    }

    /// A string of Terraform JSON as it is once everything is there.
    fn text(&self, text: &str) -> String {
        let (mut whole, mut rest) = (String::new(), text);
        while let Some(next) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("$${") {
                whole.push_str("${");
                rest = after;
            } else if let Some(after) = rest.strip_prefix("%%{") {
                whole.push_str("%{");
                rest = after;
            } else if let Some((reference, after)) =
                rest.strip_prefix("${").and_then(|inner| inner.split_once('}'))
            {
                whole.push_str(&self.attribute(reference));
                rest = after;
            } else {
                whole.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        whole
    }

    /// What a reference comes to; of what no policy hangs on, its name.
    fn attribute(&self, reference: &str) -> String {
        let mut parts = reference.splitn(3, '.');
        let (kind, name, attribute) =
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
        let Some(body) = self.resources.get(&format!("{kind}.{name}")) else { return reference.to_owned() };
        let of = |key: &str| self.text(body[key].as_str().unwrap_or_default());
        let (Self { partition, .. }, path) = (self, body["path"].as_str().unwrap_or("/"));
        let named = |service: &str, before: &str| self.arn(service, &format!("{before}{}", of("name")));
        let in_iam = |what: &str| self.iam(&format!("{what}{path}{}", of("name")));
        match (kind, attribute) {
            ("aws_kms_key", Some("arn")) => self.key(name),
            ("aws_s3_bucket", Some("arn")) => format!("arn:{partition}:s3:::{}", of("bucket")),
            ("aws_s3_bucket", Some("id" | "bucket")) => of("bucket"),
            ("aws_iam_role", Some("arn")) => in_iam("role"),
            ("aws_iam_policy", Some("arn")) => in_iam("policy"),
            ("aws_iam_role", Some("name" | "id")) => of("name"),
            ("aws_iam_openid_connect_provider", Some("arn")) => {
                self.iam(&format!("oidc-provider/{}", of("url").trim_start_matches("https://")))
            }
            ("aws_dynamodb_table", Some("arn")) => named("dynamodb", "table/"),
            ("aws_cloudwatch_log_group", Some("arn")) => named("logs", "log-group:"),
            ("aws_secretsmanager_secret", Some("arn")) => named("secretsmanager", "secret:") + "-AbCdEf",
            ("aws_ecr_repository", Some("arn")) => named("ecr", "repository/"),
            ("aws_sns_topic", Some("arn")) => named("sns", ""),
            ("aws_sqs_queue", Some("arn")) => named("sqs", ""),
            ("aws_backup_vault", Some("arn")) => named("backup", "backup-vault:"),
            _ => reference.to_owned(),
        }
    }

    /// An ARN of the account and region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }

    pub fn iam(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition, self.account)
    }

    /// The ARN of the key of that name.
    pub fn key(&self, name: &str) -> String {
        self.arn("kms", &format!("key/{ID}-{name}"))
    }

    /// An argument of a resource.
    pub fn of_resource(&self, address: &str, argument: &str) -> String {
        let body = self.resources.get(address).unwrap_or_else(|| panic!("no {address}"));
        body[argument].as_str().unwrap_or_else(|| panic!("no {argument} of {address}")).to_owned()
    }

    /// The ARN of a bucket, or of what lies in it.
    pub fn bucket(&self, name: &str, below: &str) -> String {
        format!(
            "arn:{}:s3:::{}{below}",
            self.partition,
            self.of_resource(&format!("aws_s3_bucket.{name}"), "bucket")
        )
    }

    /// The ARN of a role by its address.
    pub fn role_arn(&self, name: &str) -> String {
        self.attribute(&format!("aws_iam_role.{name}.arn"))
    }

    /// Who holds the role at this address.
    pub fn holder(&self, name: &str) -> Holder {
        let role =
            self.resources.get(&format!("aws_iam_role.{name}")).unwrap_or_else(|| panic!("no role {name}"));
        let of_role = |(address, body): &(&String, &Value)| {
            address.starts_with("aws_iam_role_policy.") && body["role"] == role["name"]
        };
        let identity = self.resources.iter().filter(of_role).map(|(_, body)| body["policy"].clone());
        let bound = role["permissions_boundary"].as_str();
        let policies = self.resources.iter().filter(|(address, _)| address.starts_with("aws_iam_policy."));
        let mut boundaries = policies.filter(|(address, _)| {
            bound.is_some_and(|bound| self.attribute(&format!("{address}.arn")) == bound)
        });
        Holder {
            arn: self.role_arn(name),
            identity: identity.collect(),
            boundary: boundaries.next().map(|(_, body)| body["policy"].clone()),
            workflow: role["path"] == "/bootstrap/",
        }
    }

    /// The most that the apply role can make: a role that is allowed everything, within the boundary.
    pub fn made_by(&self, apply: &Holder) -> Holder {
        let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        Holder {
            arn: self.iam(&format!("role/{}-x", self.prefix)),
            identity: vec![all],
            boundary: apply.boundary.clone(),
            workflow: false,
        }
    }

    /// The policy that a resource has of its own: a key's, a bucket's, a secret's, a role's trust.
    pub fn policy_of(&self, action: &str, arn: &str) -> Option<&Value> {
        let named = |kind: &str, what: &dyn Fn(&str, &Value) -> Option<String>| {
            self.resources.iter().find_map(|(address, body)| {
                let name = address.strip_prefix(kind)?.strip_prefix('.')?;
                let fits = what(name, body)?;
                (arn == fits || arn.starts_with(&format!("{fits}/"))).then_some(body)
            })
        };
        let text = |body: &Value, key: &str| body[key].as_str().map(str::to_owned);
        match action.split_once(':').map_or("", |(service, _)| service) {
            "kms" => Some(&named("aws_kms_key", &|name, _| Some(self.key(name)))?["policy"]),
            "s3" => {
                let arn = |_: &str, body: &Value| {
                    Some(format!("arn:{}:s3:::{}", self.partition, text(body, "bucket")?))
                };
                Some(&named("aws_s3_bucket_policy", &arn)?["policy"])
            }
            "dynamodb" => {
                Some(&named("aws_dynamodb_resource_policy", &|_, body| text(body, "resource_arn"))?["policy"])
            }
            "secretsmanager" => Some(
                &named("aws_secretsmanager_secret_policy", &|_, body| text(body, "secret_arn"))?["policy"],
            ),
            "sts" => {
                Some(&named("aws_iam_role", &|name, _| Some(self.role_arn(name)))?["assume_role_policy"])
            }
            _ => None,
        }
    }

    /// What comes of calls, whatever else their requests say than what is known of them.
    pub fn decide_all(&self, holder: &Holder, calls: &[Call]) -> Vec<Decision> {
        let identity: Vec<Policy> = holder.identity.iter().map(read).collect();
        let boundary = holder.boundary.as_ref().map(read);
        calls.iter().map(|call| self.decide(holder, &identity, boundary.as_ref(), call)).collect()
    }

    fn decide(
        &self,
        holder: &Holder,
        identity: &[Policy],
        boundary: Option<&Policy>,
        call: &Call,
    ) -> Decision {
        let resource = self.policy_of(call.action, &call.resource).map(read);
        let mut context = Context::unknown();
        for (key, value) in self.context(holder, call) {
            context = context.with(&key, value);
        }
        for key in call.absent {
            context = context.without(key);
        }
        if !holder.workflow {
            context = context.without("aws:FederatedProvider");
        }
        let request = Request::new(Caller::role(&holder.arn), call.action, call.resource.as_str(), context)
            .of_account(&self.account);
        let policies = Policies { identity, boundary, resource: resource.as_ref(), endpoint: None };
        policies.decide(&request)
    }

    /// What the request says for certain.
    pub fn context(&self, holder: &Holder, call: &Call) -> Vec<(String, String)> {
        let mut all: Vec<(&str, String)> = vec![
            ("aws:PrincipalArn", holder.arn.clone()),
            ("aws:PrincipalAccount", self.account.clone()),
            ("aws:RequestedRegion", self.region.clone()),
            ("aws:SecureTransport", "true".to_owned()),
            ("s3:TlsVersion", "1.3".to_owned()),
        ];
        if holder.workflow {
            all.push((
                "aws:FederatedProvider",
                self.iam("oidc-provider/token.actions.githubusercontent.com"),
            ));
        }
        all.extend(call.context.iter().map(|(key, value)| (*key, value.clone())));
        all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

fn read(document: &Value) -> Policy {
    Policy::read(document, &Text::from).unwrap_or_else(|fault| panic!("{fault}\n{document:#}"))
}

/// A call of AWS's API.
#[derive(Clone)]
pub struct Call {
    pub action: &'static str,
    pub resource: String,
    /// What its request says.
    pub context: Vec<(&'static str, String)>,
    /// What it does not have.
    pub absent: &'static [&'static str],
}
