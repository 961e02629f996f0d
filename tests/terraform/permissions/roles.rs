//! The roles of an environment that `txnr bootstrap` makes for its pipeline, as rendered.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use iam_policy::{Caller, Context, Decision, Policies, Policy, Request, Text};
use serde_json::{Map, Value};

use super::super::{Environment, txnr};
use super::needs::Need;

/// The roles by what they are for.
#[derive(Clone)]
pub(super) struct Roles(BTreeMap<&'static str, Role>);

#[derive(Clone)]
struct Role {
    arn: String,
    /// Whom GitHub's provider of identities is to AWS.
    provider: String,
    identity: Vec<Document>,
    /// None where the role has none, or the environment's file names another policy.
    boundary: Option<Document>,
}

/// A policy, and what it was read from.
#[derive(Clone)]
struct Document {
    json: Value,
    policy: Policy,
}

impl Roles {
    /// Of an environment whose file names its repository on GitHub.
    pub(super) fn of(environment: &Environment) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let name = &environment.name;
        let root = txnr("bootstrap", &environment.folder, ["--env", name], scratch.path()).remove(0);
        let module = Module::read(&root, environment);
        let role = |purpose: &str| module.role(&format!("{}_{purpose}", name.replace('-', "_")));
        Self(["plan", "apply"].map(|purpose| (purpose, role(purpose))).into())
    }

    pub(super) fn arn(&self, role: &str) -> &str {
        &self.0[role].arn
    }

    /// The same, with an action less in the policies of one role.
    pub(super) fn without(&self, role: &str, action: &str) -> Self {
        let mut roles = self.clone();
        let role = roles.0.get_mut(role).expect("a role");
        for document in &mut role.identity {
            for statement in document.json["Statement"].as_array_mut().expect("statements") {
                if let Some(actions) = statement["Action"].as_array_mut() {
                    actions.retain(|one| one != action);
                }
            }
            document.policy = read(&document.json);
        }
        roles
    }

    /// What comes of what a role asks.
    pub(super) fn decide(&self, role: &str, need: &Need) -> Decision {
        let Role { arn, provider, identity, boundary } = &self.0[role];
        let mut context = Context::unknown()
            .with("aws:PrincipalArn", arn.as_str())
            .with("aws:FederatedProvider", provider.as_str())
            .with("aws:SecureTransport", "true")
            .with("aws:PrincipalIsAWSService", "false")
            .with("aws:ViaAWSService", "false")
            // Terraform asks for itself.
            .without("kms:ViaService");
        for (key, values) in &need.keys {
            context = match values.as_slice() {
                [] => context.without(key),
                [value] => context.with(key, value.as_str()),
                values => context.with_many(key, values.iter().map(String::as_str)),
            };
        }
        let request = Request::new(Caller::role(arn), need.action.as_str(), need.resource.clone(), context);
        let identity: Vec<Policy> = identity.iter().map(|document| document.policy.clone()).collect();
        let boundary = boundary.as_ref().map(|document| &document.policy);
        Policies { identity: &identity, boundary, ..Policies::default() }.decide(&request)
    }
}

fn read(document: &Value) -> Policy {
    Policy::read(document, &Text::from).unwrap_or_else(|fault| panic!("{fault}\n{document:#}"))
}

/// The bootstrap module of an account.
struct Module {
    account: String,
    region: String,
    files: Vec<Value>,
}

impl Module {
    fn read(root: &Path, environment: &Environment) -> Self {
        let paths = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
        let files = paths.filter(|path| path.to_string_lossy().ends_with(".tf.json"));
        let files = files.map(|path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap());
        Self {
            account: environment.account.clone(),
            region: environment.region.clone(),
            files: files.collect(),
        }
    }

    fn resources(&self, kind: &str) -> impl Iterator<Item = (&String, &Value)> {
        let all = self.files.iter().filter_map(move |file| file["resource"][kind].as_object());
        all.flat_map(Map::iter)
    }

    fn resource(&self, kind: &str, name: &str) -> &Value {
        let mut all = self.resources(kind);
        all.find(|(other, _)| *other == name).unwrap_or_else(|| panic!("no {kind}.{name}")).1
    }

    fn role(&self, name: &str) -> Role {
        let role = self.resource("aws_iam_role", name);
        let named = format!("${{aws_iam_role.{name}.name}}");
        let policies = self.resources("aws_iam_role_policy").filter(|(_, policy)| policy["role"] == named);
        let identity: Vec<Document> = policies.map(|(_, policy)| self.document(&policy["policy"])).collect();
        assert!(!identity.is_empty(), "aws_iam_role.{name} has no policy");
        let boundary = role["permissions_boundary"].as_str().and_then(|text| {
            let name = text.strip_prefix("${aws_iam_policy.")?.strip_suffix(".arn}")?;
            Some(self.document(&self.resource("aws_iam_policy", name)["policy"]))
        });
        let provider =
            format!("arn:aws:iam::{}:oidc-provider/token.actions.githubusercontent.com", self.account);
        Role { arn: self.named("role", role), provider, identity, boundary }
    }

    /// The document that stands under the name of an argument, `${jsonencode(local.NAME)}`, without references.
    fn document(&self, argument: &Value) -> Document {
        let text = argument.as_str().expect("an argument");
        let name = text.strip_prefix("${jsonencode(local.").and_then(|text| text.strip_suffix(")}"));
        let name = name.unwrap_or_else(|| panic!("{text} is no document"));
        let mut all = self.files.iter().map(|file| &file["locals"][name]);
        let json = all.find(|document| document.is_object()).unwrap_or_else(|| panic!("no local.{name}"));
        let json = self.resolved(json);
        Document { policy: read(&json), json }
    }

    fn resolved(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let resolve = |reference: &str| self.reference(reference).map(Text::from);
                let whole = Text::terraform_with(text, &resolve);
                whole.known().unwrap_or_else(|| panic!("{text} refers to what is not known here")).into()
            }
            Value::Array(items) => items.iter().map(|item| self.resolved(item)).collect(),
            Value::Object(all) => {
                Value::Object(all.iter().map(|(key, value)| (key.clone(), self.resolved(value))).collect())
            }
            other => other.clone(),
        }
    }

    /// What a reference of a policy will be. The key of the state is none of the keys that are used here, so that it may have
    /// any number.
    fn reference(&self, reference: &str) -> Option<String> {
        let mut parts = reference.split('.');
        let (kind, name, "arn", None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
            return None;
        };
        let resource = self.resource(kind, name);
        let regional =
            |service: &str, what: &str| format!("arn:aws:{service}:{}:{}:{what}", self.region, self.account);
        match kind {
            "aws_iam_policy" => Some(self.named("policy", resource)),
            "aws_kms_key" => Some(regional("kms", &format!("key/{name}"))),
            "aws_s3_bucket" => Some(format!("arn:aws:s3:::{}", resource["bucket"].as_str()?)),
            "aws_dynamodb_table" => {
                Some(regional("dynamodb", &format!("table/{}", resource["name"].as_str()?)))
            }
            _ => None,
        }
    }

    fn named(&self, what: &str, resource: &Value) -> String {
        let (path, name) =
            (resource["path"].as_str().unwrap_or("/"), resource["name"].as_str().expect("a name"));
        format!("arn:aws:iam::{}:{what}{path}{name}", self.account)
    }
}
