//! The policy of the task's role, and the engines behind it: every call of every deployed task is recorded on its way to
//! them, and has to be allowed when the test is over.
//!
//! What no recording shows: the calls of KMS, which S3 and DynamoDB make in the service's name, and the token for
//! PostgreSQL, which is made without a call. The keys' statements are therefore left out here.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use iam_policy::{Caller, Context, Decision, Policies, Policy, Request, Text};
use test_kit::engines::Engines;
use test_kit::needs;
use test_kit::task::Module;

use super::recorder::{Recorder, Seen};

/// Engines that a module's tasks reach through recorders alone. What the role does not allow fails the test at its end.
pub struct RecordedEngines<'a> {
    engines: Engines,
    module: &'a Module,
    pub s3: Recorder,
    dynamo: Option<Recorder>,
}

impl Deref for RecordedEngines<'_> {
    type Target = Engines;

    fn deref(&self) -> &Engines {
        &self.engines
    }
}

impl<'a> RecordedEngines<'a> {
    pub fn start(module: &'a Module) -> Self {
        let mut engines = Engines::start(module);
        let s3 = Recorder::before(engines.aws.url().trim_start_matches("http://").parse().unwrap());
        let dynamo = engines.dynamo().map(Recorder::before);
        engines.endpoints.insert("AWS_ENDPOINT_URL_S3", format!("http://{}", s3.address));
        if let Some(dynamo) = &dynamo {
            engines.endpoints.insert("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{}", dynamo.address));
        }
        Self { engines, module, s3, dynamo }
    }

    /// What all calls so far take.
    pub fn needs(&self) -> BTreeSet<Need> {
        let dynamo = self.dynamo.iter().flat_map(Recorder::calls);
        let mut needs: BTreeSet<Need> = self.s3.calls().iter().flat_map(s3_needs).collect();
        needs.extend(dynamo.flat_map(|call| dynamo_needs(self.module, &call)));
        needs
    }

    /// What the task's role may do, as far as a recording shows it.
    pub fn role(&self) -> Role {
        let resolve = |text: &str| Text::from(self.module.resolve(text, &|name| self.engines.know(name)));
        let mut policy = Policy::read(self.module.task_policy(), &resolve).unwrap();
        policy
            .statements
            .retain(|statement| !statement.actions().all(|action| action.to_string().starts_with("kms:")));
        Role { arn: format!("arn:aws:iam::{}:role/task", self.module.account), policy }
    }
}

impl Drop for RecordedEngines<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let (needs, role) = (self.needs(), self.role());
        assert!(!needs.is_empty(), "no call was recorded");
        let refused: Vec<(&Need, Decision)> = needs
            .iter()
            .map(|need| (need, role.decide(need)))
            .filter(|(_, decision)| *decision != Decision::Allow)
            .collect();
        assert!(
            refused.is_empty(),
            "the policy of the task's role does not allow: {refused:#?}\nDo without it, or add the action to an operation of \
             contract::Operation on that resource"
        );
    }
}

/// The task's role, with the policy of its own.
pub struct Role {
    arn: String,
    policy: Policy,
}

impl Role {
    /// What comes of a call.
    pub fn decide(&self, need: &Need) -> Decision {
        let context = need
            .prefix
            .iter()
            .fold(Context::default(), |context, prefix| context.with("s3:prefix", prefix.as_str()));
        let request = Request::new(Caller::role(&*self.arn), &*need.action, &*need.resource, context);
        Policies { identity: std::slice::from_ref(&self.policy), ..Policies::default() }.decide(&request)
    }

    /// The statements, each as if it were the only one, by their names.
    pub fn statements(&self) -> impl Iterator<Item = (&str, Self)> {
        self.policy.statements.iter().map(|statement| {
            let policy = Policy { statements: vec![statement.clone()] };
            (statement.sid.as_str(), Self { arn: self.arn.clone(), policy })
        })
    }

    /// The actions as the policy writes them.
    pub fn actions(&self) -> impl Iterator<Item = String> {
        self.policy.statements.iter().flat_map(|statement| statement.actions().map(ToString::to_string))
    }
}

/// What a call takes: an action of IAM on a resource, with what the policy's conditions look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    pub action: String,
    resource: String,
    prefix: Option<String>,
}

fn need(service: &str, action: &str, resource: String) -> Need {
    Need { action: format!("{service}:{action}"), resource, prefix: None }
}

/// What a call of DynamoDB takes.
fn dynamo_needs(module: &Module, call: &Seen) -> Vec<Need> {
    let needs = needs::dynamo(&call.headers["x-amz-target"], &call.body).into_iter();
    let needs = needs.map(|one| {
        let table = format!("arn:aws:dynamodb:{}:{}:table/{}", module.region, module.account, one.table);
        let resource = one.index.map_or(table.clone(), |index| format!("{table}/index/{index}"));
        need("dynamodb", &one.action, resource)
    });
    needs.collect()
}

/// What a call of S3 takes. <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
fn s3_needs(call: &Seen) -> Vec<Need> {
    let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
    let query: BTreeMap<&str, &str> =
        query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_matches('/'), ""));
    let bucket = format!("arn:aws:s3:::{bucket}");
    let object = |action: &str| need("s3", action, format!("{bucket}/{key}"));
    let list = |prefix: String| Need { prefix: Some(prefix), ..need("s3", "ListBucket", bucket.clone()) };
    match (call.method.as_str(), key.is_empty()) {
        ("GET", true) => {
            vec![list(query.get("prefix").copied().unwrap_or_default().replace("%2F", "/"))]
        }
        // Who may not list the bucket is told 403 of an object that is not there.
        ("GET" | "HEAD", false) if call.status == 404 => vec![object("GetObject"), list(String::new())],
        ("GET" | "HEAD", false) => vec![object("GetObject")],
        // A copy would read another object too.
        ("PUT" | "POST", false) if !call.headers.contains_key("x-amz-copy-source") => {
            vec![object("PutObject")]
        }
        ("DELETE", false) if query.contains_key("uploadId") => vec![object("AbortMultipartUpload")],
        _ => panic!("no call that is known: {} {}", call.method, call.target),
    }
}
