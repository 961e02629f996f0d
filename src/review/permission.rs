//! Who may do more than before, and who less.
//!
//! A policy is taken apart into grants: an action, a resource and a condition. A grant that one grant of the other side
//! includes is not new; the rest is gained or lost. "Neither" is said only where every grant of both sides is included in the
//! other. Whether a gained grant was not allowed already, by several others together, is asked of [`iam_policy`]; where it
//! cannot tell, nor can this.

use std::collections::{BTreeMap, BTreeSet};

use iam_policy::{Caller, Catalog, Context, Decision, Policies, Policy, Request, Text};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use terraform::query::{Found, View, is_expression, references};

use super::same::{self, one_or_more};

/// What became of somebody's permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// More is allowed.
    Widened,
    /// Whether more is allowed hangs on what is not known.
    CannotTell,
    /// Less is allowed, and nothing more.
    Narrowed,
    /// The same is allowed, in other words.
    Neither,
}

/// What became of the permissions in one policy, or in all of a principal's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Permission {
    /// The principal, or the resource whose policy it is.
    pub of: String,
    /// Which policy: `permissions`, `boundary`, `trust`, `resource policy`.
    pub policy: &'static str,
    /// The verdict on it all.
    pub verdict: Verdict,
    /// What is allowed and was not.
    pub gained: Vec<Grant>,
    /// What was allowed and is not.
    pub lost: Vec<Grant>,
}

/// An action on a resource, under a condition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Grant {
    /// Whether it is a denial, which takes away.
    pub deny: bool,
    /// Whom it is granted to; none in a principal's own policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The action; several of a `NotAction`.
    pub action: String,
    /// The resource; several of a `NotResource`.
    pub resource: String,
    /// The condition, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Whether all but the actions, the resources or the principals are meant.
    #[serde(skip)]
    except: [bool; 3],
}

impl std::fmt::Display for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [but_actions, but_resources, but_principals] =
            self.except.map(|except| if except { "all but " } else { "" });
        let deny = if self.deny { "denial of " } else { "" };
        write!(f, "{deny}{but_actions}{} on {but_resources}{}", self.action, self.resource)?;
        if let Some(principal) = &self.principal {
            write!(f, " for {but_principals}{principal}")?;
        }
        match &self.condition {
            Some(condition) => write!(f, " if {condition}"),
            None => Ok(()),
        }
    }
}

/// The policies of one principal, or of one resource.
#[derive(Debug, Default, PartialEq)]
struct Documents {
    documents: Vec<Value>,
    /// Policies by name only: those of AWS, and expressions.
    named: BTreeSet<String>,
}

type Key = (String, &'static str);

/// What became of every policy that differs, widened ones first.
pub(super) fn permissions(old: &View, new: &View) -> Vec<Permission> {
    let (before, after) = (documents(old), documents(new));
    let none = Documents::default();
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    let mut all: Vec<Permission> = keys
        .into_iter()
        .filter_map(|key| {
            let (a, b) = (before.get(key).unwrap_or(&none), after.get(key).unwrap_or(&none));
            let differs = !goes_along(key, old, new) && (a != b || reads_otherwise(b, old, new));
            differs.then(|| compare(key, a, b, old, new))
        })
        .flatten()
        .collect();
    all.sort_by(|a, b| (a.verdict, &a.of).cmp(&(b.verdict, &b.of)));
    all
}

/// Whether a policy comes or goes with what it is about: the boundary of a principal that is new or gone, and the policy of a
/// resource that is gone.
fn goes_along((of, policy): &Key, old: &View, new: &View) -> bool {
    let there = |view: &View| view.blocks.contains_key(of);
    match *policy {
        "boundary" => !there(old) || !there(new),
        "resource policy" if !there(new) => old.blocks.get(of).is_some_and(|block| {
            let beside = block.kind.ends_with("_policy");
            let about =
                block.body.as_object().into_iter().flatten().filter(|(key, _)| !key.ends_with("policy"));
            let mut about = about.filter_map(|(_, value)| referred(value.as_str()?, old));
            !beside || about.any(|address| !new.blocks.contains_key(&address))
        }),
        _ => false,
    }
}

/// Whether a policy that is an expression reads a data source that differs.
fn reads_otherwise(documents: &Documents, old: &View, new: &View) -> bool {
    let sources = documents.named.iter().flat_map(|text| references(text)).filter_map(|expression| {
        let address: Vec<&str> = expression.split('.').take(3).collect();
        Some(address.join(".")).filter(|address| address.starts_with("data."))
    });
    sources.into_iter().any(|address| old.blocks.get(&address) != new.blocks.get(&address))
}

fn compare(
    key: &Key,
    old: &Documents,
    new: &Documents,
    old_view: &View,
    new_view: &View,
) -> Option<Permission> {
    let (of, policy) = key.clone();
    let (before, after) = (grants(old), grants(new));
    let (allowed, denied) = (side(&before, false), side(&before, true));
    let (allows, denies) = (side(&after, false), side(&after, true));
    // A denial is lost where none includes it any more: that is a gain.
    let mut gained = beyond(&allows, &allowed);
    gained.extend(beyond(&denied, &denies));
    let mut lost = beyond(&allowed, &allows);
    lost.extend(beyond(&denies, &denied));
    let named = |name: &String, deny| Grant {
        deny,
        principal: None,
        action: "whatever it allows".to_owned(),
        resource: name.clone(),
        condition: None,
        except: [false; 3],
    };
    let unread = reads_otherwise(new, old_view, new_view);
    let more_names: Vec<Grant> = new.named.difference(&old.named).map(|name| named(name, false)).collect();
    let fewer_names: Vec<Grant> = old.named.difference(&new.named).map(|name| named(name, false)).collect();
    let is_boundary = policy == "boundary";
    // No boundary allows everything that the permissions do.
    let (unbounded, bounded) = (
        is_boundary && *old != Documents::default() && *new == Documents::default(),
        is_boundary && *old == Documents::default() && *new != Documents::default(),
    );
    let asked = policy == "permissions" || is_boundary;
    let surely = |grant: &Grant| grant.deny || is_more(grant, &allowed, if asked { Some(old) } else { None });
    let verdict = if unbounded || (!bounded && gained.iter().any(surely)) {
        Verdict::Widened
    } else if bounded {
        Verdict::Narrowed
    } else if more_names.iter().any(|grant| !is_expression(&grant.resource)) {
        Verdict::Widened
    } else if unread || !gained.is_empty() || !more_names.is_empty() {
        Verdict::CannotTell
    } else if !lost.is_empty() || !fewer_names.is_empty() {
        Verdict::Narrowed
    } else if same_words(old, new) {
        return None;
    } else {
        Verdict::Neither
    };
    gained.extend(more_names);
    lost.extend(fewer_names);
    if unbounded || bounded {
        (gained, lost) = (lost, gained);
    }
    Some(Permission { of, policy, verdict, gained, lost })
}

fn same_words(old: &Documents, new: &Documents) -> bool {
    let canonical = |of: &Documents| of.documents.iter().map(same::policy).collect::<Vec<_>>();
    canonical(old) == canonical(new) && old.named == new.named
}

fn side(grants: &[Grant], deny: bool) -> Vec<Grant> {
    grants.iter().filter(|grant| grant.deny == deny).cloned().collect()
}

/// The grants that none of the others includes.
fn beyond(grants: &[Grant], others: &[Grant]) -> Vec<Grant> {
    let beyond = grants.iter().filter(|grant| !others.iter().any(|other| includes(other, grant)));
    beyond.cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether one grant allows all that another does.
fn includes(one: &Grant, other: &Grant) -> bool {
    same_but_condition(one, other) && includes_condition(one.condition.as_deref(), other.condition.as_deref())
}

fn same_but_condition(one: &Grant, other: &Grant) -> bool {
    let principal = one.principal == other.principal && one.except[2] == other.except[2]
        || one.principal.as_deref() == Some("*") && !one.except[2];
    if !principal {
        return false;
    }
    let part = |at: usize, a: &str, b: &str, includes: fn(&str, &str) -> bool| match (
        one.except[at],
        other.except[at],
    ) {
        (false, false) => includes(a, b),
        (true, true) => a == b,
        _ => false,
    };
    part(0, &one.action, &other.action, glob) && part(1, &one.resource, &other.resource, arn)
}

/// Whether every text that one pattern matches is matched by the other one. `*` is matched by `*` alone.
fn glob(pattern: &str, other: &str) -> bool {
    let (pattern, other): (Vec<char>, Vec<char>) = (pattern.chars().collect(), other.chars().collect());
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    let spread = |reached: &mut Vec<bool>| {
        for at in 0..pattern.len() {
            reached[at + 1] |= reached[at] && pattern[at] == '*';
        }
    };
    spread(&mut reached);
    for character in other {
        let mut next = vec![false; pattern.len() + 1];
        for at in (0..pattern.len()).filter(|at| reached[*at]) {
            match pattern[at] {
                '*' => next[at] = true,
                '?' => next[at + 1] |= character != '*',
                expected => next[at + 1] |= expected == character,
            }
        }
        spread(&mut next);
        reached = next;
    }
    reached[pattern.len()]
}

/// As [`glob`], part by part, since a wildcard ends where its part of an ARN does.
fn arn(pattern: &str, other: &str) -> bool {
    if pattern == "*" || pattern == other {
        return true;
    }
    match (arn_parts(pattern), arn_parts(other)) {
        (Some(a), Some(b)) => a.iter().zip(&b).all(|(a, b)| glob(a, b)),
        // A reference to a whole ARN, and what stands behind it.
        (None, None) => glob(pattern, other),
        _ => false,
    }
}

fn arn_parts(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    (text.starts_with("arn:") && parts.len() == 6).then_some(parts)
}

/// Whether one condition holds wherever the other does: each of its tests is one of the other's, and no stricter.
fn includes_condition(one: Option<&str>, other: Option<&str>) -> bool {
    let read = |text: Option<&str>| {
        text.and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default()
    };
    let (one, other) = (read(one), read(other));
    let tests = one.as_object().into_iter().flatten();
    tests
        .flat_map(|(operator, keys)| keys.as_object().into_iter().flatten().map(move |key| (operator, key)))
        .all(|(operator, (key, values))| {
            let theirs = &other[operator][key];
            if theirs.is_null() {
                return false;
            }
            let (ours, theirs) = (one_or_more(values), one_or_more(theirs));
            let within = |some: &[Value], others: &[Value]| some.iter().all(|value| others.contains(value));
            // None of several values is stricter than none of one.
            if operator.to_lowercase().contains("not") { within(ours, theirs) } else { within(theirs, ours) }
        })
}

/// Whether a grant is surely more than the old ones allowed.
fn is_more(grant: &Grant, allowed: &[Grant], policies: Option<&Documents>) -> bool {
    if grant.except.contains(&true) {
        return false;
    }
    let alike: Vec<&Grant> = allowed.iter().filter(|old| same_but_condition(old, grant)).collect();
    if !alike.is_empty() {
        // The same under another condition: more, if the new one is no stricter than each of the old ones.
        return alike
            .iter()
            .all(|old| includes_condition(grant.condition.as_deref(), old.condition.as_deref()));
    }
    if let Some(documents) = policies {
        return denied(grant, documents);
    }
    // What refers to something may be what was written in full before.
    let hidden = |grant: &Grant| {
        is_expression(&grant.resource) || grant.principal.as_deref().is_some_and(is_expression)
    };
    !allowed.iter().any(|old| (hidden(old) || hidden(grant)) && glob(&old.action, &grant.action))
}

/// How many actions of a pattern are tried.
const ACTIONS_MAX: usize = 50;

/// Whether the old policies deny one of the requests that a grant allows, whatever is not known.
fn denied(grant: &Grant, documents: &Documents) -> bool {
    if !documents.named.is_empty() {
        return false;
    }
    let read = |document: &Value| Policy::read(document, &Text::terraform);
    let Ok(identity) = documents.documents.iter().map(read).collect::<Result<Vec<_>, _>>() else {
        return false;
    };
    let named = Catalog::recorded().matching(&Text::from(grant.action.as_str()));
    let mut actions: Vec<String> = named.iter().take(ACTIONS_MAX).map(ToString::to_string).collect();
    if !grant.action.contains(['*', '?']) || actions.is_empty() {
        actions = vec![grant.action.replace(['*', '?'], "Probe")];
    }
    // A name that nobody gave.
    let resource = grant.resource.replace('*', "no-such-name-0").replace('?', "0");
    actions.into_iter().any(|action| {
        let caller = Caller::role("arn:aws:iam::000000000000:role/probe");
        let request = Request::new(caller, action, Text::terraform(&resource), Context::unknown());
        let policies = Policies { identity: &identity, ..Policies::default() };
        matches!(policies.decide(&request), Decision::Deny(_))
    })
}

/// The grants of documents.
fn grants(documents: &Documents) -> Vec<Grant> {
    documents.documents.iter().map(same::policy).flat_map(|policy| grants_of(&policy)).collect()
}

fn grants_of(policy: &Value) -> Vec<Grant> {
    let mut all = Vec::new();
    for statement in one_or_more(&policy["Statement"]) {
        let deny = statement["Effect"] != "Allow";
        let part = |name: &str, not: &str, texts: fn(&Value) -> Vec<String>| match (
            &statement[name],
            &statement[not],
        ) {
            (Value::Null, Value::Null) => (false, None),
            (Value::Null, not) => (true, Some(vec![texts(not).join(", ")])),
            (some, _) => (false, Some(texts(some))),
        };
        let (but_actions, actions) = part("Action", "NotAction", texts);
        let (but_resources, resources) = part("Resource", "NotResource", texts);
        let (but_principals, principals) = part("Principal", "NotPrincipal", principals);
        let condition = match &statement["Condition"] {
            Value::Null => None,
            Value::Object(of) if of.is_empty() => None,
            other => Some(other.to_string()),
        };
        let principals: Vec<Option<String>> =
            principals.map_or_else(|| vec![None], |all| all.into_iter().map(Some).collect());
        for principal in &principals {
            for action in actions.iter().flatten() {
                // A role's trust has no resource: the role itself.
                for resource in resources.clone().unwrap_or_else(|| vec!["itself".to_owned()]) {
                    all.push(Grant {
                        deny,
                        principal: principal.clone(),
                        action: action.clone(),
                        resource,
                        condition: condition.clone(),
                        except: [but_actions, but_resources, but_principals],
                    });
                }
            }
        }
    }
    all
}

fn texts(value: &Value) -> Vec<String> {
    one_or_more(value)
        .iter()
        .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
        .collect()
}

fn principals(value: &Value) -> Vec<String> {
    match value {
        Value::Object(kinds) => kinds
            .iter()
            .flat_map(|(kind, names)| texts(names).into_iter().map(move |name| format!("{kind}:{name}")))
            .collect(),
        other => texts(other),
    }
}

/// The policies of a module by whose they are.
fn documents(view: &View) -> BTreeMap<Key, Documents> {
    let mut all = BTreeMap::<Key, Documents>::new();
    for (address, block) in view.managed() {
        match block.kind.as_str() {
            "aws_iam_role" | "aws_iam_user" | "aws_iam_group" => {
                add(&mut all, address, "trust", &block.body["assume_role_policy"]);
                add(&mut all, address, "boundary", &followed(&block.body["permissions_boundary"], view));
                for inline in one_or_more(&block.body["inline_policy"]) {
                    add(&mut all, address, "permissions", &inline["policy"]);
                }
                for managed in one_or_more(&block.body["managed_policy_arns"]) {
                    add(&mut all, address, "permissions", &followed(managed, view));
                }
            }
            "aws_iam_role_policy" | "aws_iam_user_policy" | "aws_iam_group_policy" => {
                let holder = holder(block, view);
                add(&mut all, &holder, "permissions", &block.body["policy"]);
            }
            "aws_iam_role_policy_attachment"
            | "aws_iam_user_policy_attachment"
            | "aws_iam_group_policy_attachment" => {
                let holder = holder(block, view);
                add(&mut all, &holder, "permissions", &followed(&block.body["policy_arn"], view));
            }
            "aws_iam_policy" | "aws_organizations_policy" => {
                // Whoever holds it is told of; without a holder it allows nothing.
            }
            _ => {
                for (key, value) in block.body.as_object().into_iter().flatten() {
                    let is_policy = key.contains("policy") && same::is_policy(value);
                    let text =
                        key == "policy" && value.as_str().is_some_and(|text| text.contains("Statement"));
                    if is_policy || text {
                        add(&mut all, address, "resource policy", value);
                    }
                }
            }
        }
    }
    all
}

fn add(all: &mut BTreeMap<Key, Documents>, of: &str, policy: &'static str, value: &Value) {
    if value.is_null() {
        return;
    }
    let documents = all.entry((of.to_owned(), policy)).or_default();
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(document @ Value::Object(_)) => documents.documents.push(document),
            _ => {
                documents.named.insert(text.clone());
            }
        },
        document => documents.documents.push(document.clone()),
    }
    // Which policy comes first says nothing.
    documents.documents.sort_by_cached_key(Value::to_string);
}

/// Whose policy it is: the role, user or group that it refers to.
fn holder(block: &Found, view: &View) -> String {
    let text = ["role", "user", "group"].iter().find_map(|key| block.body[*key].as_str()).unwrap_or_default();
    referred(text, view).unwrap_or_else(|| text.to_owned())
}

/// The document of a policy that is referred to, or the name itself.
fn followed(value: &Value, view: &View) -> Value {
    let policy =
        value.as_str().and_then(|text| referred(text, view)).and_then(|address| view.blocks.get(&address));
    match policy.filter(|policy| policy.kind == "aws_iam_policy") {
        Some(policy) => policy.body["policy"].clone(),
        None => value.clone(),
    }
}

fn referred(text: &str, view: &View) -> Option<String> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    let address: Vec<&str> = inner.split('.').take(2).collect();
    Some(address.join(".")).filter(|address| view.blocks.contains_key(address))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role(statements: Value) -> View {
        let file = json!({"resource": {
            "aws_iam_role": {"r": {"name": "r"}},
            "aws_iam_role_policy": {"p": {"role": "${aws_iam_role.r.id}", "policy": "${jsonencode(local.p)}"}},
        }, "locals": {"p": {"Version": "2012-10-17", "Statement": statements}}});
        View::of_files([("a", file.to_string().as_str())]).expect("a module")
    }

    fn allow(action: Value, resource: Value) -> Value {
        json!({"Effect": "Allow", "Action": action, "Resource": resource})
    }

    fn verdict(old: Value, new: Value) -> Option<Verdict> {
        permissions(&role(old), &role(new)).first().map(|permission| permission.verdict)
    }

    #[test]
    fn wider_and_narrower_are_told_in_both_directions() {
        let bucket = "arn:aws:s3:::files/*";
        let read = || allow(json!("s3:GetObject"), json!(bucket));
        let with = |condition: Value| {
            let mut statement = read();
            statement["Condition"] = condition;
            statement
        };
        let deny =
            || json!({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::files/secret"});
        let vpc = |names: Value| with(json!({"StringEquals": {"aws:SourceVpc": names}}));
        for (narrow, wide) in [
            (json!([read()]), json!([allow(json!("s3:*"), json!(bucket))])),
            (json!([read()]), json!([allow(json!("s3:Get*"), json!(bucket))])),
            (json!([read()]), json!([allow(json!("s3:GetObject"), json!("*"))])),
            (json!([read()]), json!([read(), allow(json!("kms:Decrypt"), json!("${aws_kms_key.k.arn}"))])),
            (json!([allow(json!("s3:GetObject"), json!("arn:aws:s3:::files/a"))]), json!([read()])),
            (json!([vpc(json!("vpc-1"))]), json!([read()])),
            (json!([vpc(json!("vpc-1"))]), json!([vpc(json!(["vpc-1", "vpc-2"]))])),
            (json!([read(), deny()]), json!([read()])),
            (json!([]), json!([read()])),
        ] {
            assert_eq!(verdict(narrow.clone(), wide.clone()), Some(Verdict::Widened), "{narrow} {wide}");
            assert_eq!(verdict(wide.clone(), narrow.clone()), Some(Verdict::Narrowed), "{wide} {narrow}");
        }
    }

    #[test]
    fn the_same_in_other_words_is_neither_and_never_falsely_so() {
        let both = json!([allow(json!(["s3:GetObject", "s3:PutObject"]), json!(["a", "b"]))]);
        let split = json!([
            allow(json!("s3:PutObject"), json!(["b", "a"])),
            allow(json!("S3:getobject"), json!("a")),
            allow(json!("s3:GetObject"), json!("b")),
        ]);
        assert_eq!(verdict(both.clone(), split.clone()), Some(Verdict::Neither));
        assert_eq!(verdict(split, both.clone()), Some(Verdict::Neither));
        assert_eq!(verdict(both.clone(), both.clone()), None);
        let reordered = json!([allow(json!(["s3:PutObject", "s3:GetObject"]), json!(["b", "a"]))]);
        assert_eq!(verdict(both, reordered), None, "as AWS compares it, this is the same");
        // One that is within another says nothing new.
        let wide = || allow(json!("s3:*"), json!("*"));
        assert_eq!(
            verdict(json!([wide()]), json!([wide(), allow(json!("s3:GetObject"), json!("a"))])),
            Some(Verdict::Neither)
        );
        // Wildcards end with their part of an ARN, and `?` is not `*`.
        for (old, new) in [
            ("arn:*:role/x", "arn:aws:iam::111122223333:role/x"),
            ("arn:aws:s3:::file?", "arn:aws:s3:::file*"),
            ("arn:aws:iam::*:role/x", "arn:aws:iam::*:role/*"),
        ] {
            let of = |resource: &str| json!([allow(json!("s3:GetObject"), json!(resource))]);
            assert_eq!(verdict(of(old), of(new)), Some(Verdict::Widened), "{old} {new}");
        }
    }

    #[test]
    fn what_hangs_on_the_unknown_cannot_be_told() {
        let of = |resource: &str| json!([allow(json!("kms:Decrypt"), json!(resource))]);
        let key = "arn:aws:kms:us-east-1:111122223333:key/1";
        assert_eq!(verdict(of("${aws_kms_key.a.arn}"), of(key)), Some(Verdict::CannotTell));
        assert_eq!(
            verdict(of("${aws_kms_key.a.arn}"), of("${aws_kms_key.b.arn}")),
            Some(Verdict::CannotTell)
        );
        let except = |action: &str| json!([{"Effect": "Allow", "NotAction": action, "Resource": "*"}]);
        assert_eq!(verdict(except("iam:*"), except("iam:Create*")), Some(Verdict::CannotTell));
        let condition = |key: &str| {
            let mut statement = allow(json!("s3:GetObject"), json!("*"));
            statement["Condition"] = json!({"StringEquals": {key: "x"}});
            json!([statement])
        };
        assert_eq!(
            verdict(condition("aws:SourceVpc"), condition("aws:SourceAccount")),
            Some(Verdict::CannotTell)
        );
    }

    #[test]
    fn policies_of_resources_and_boundaries_count() {
        let module = |resource: Value| {
            View::of_files([("a", json!({"resource": resource}).to_string().as_str())]).expect("a module")
        };
        let bucket = |principal: Value| {
            module(json!({"aws_s3_bucket_policy": {"b": {"bucket": "b", "policy": {"Statement": [
                {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}]}}}}))
        };
        let found = permissions(&bucket(json!({"AWS": "111122223333"})), &bucket(json!("*")));
        assert_eq!((found[0].verdict, found[0].policy), (Verdict::Widened, "resource policy"));
        let role = |boundary: Option<&str>| {
            let mut role = json!({"name": "r"});
            if let Some(boundary) = boundary {
                role["permissions_boundary"] = json!(boundary);
            }
            module(
                json!({"aws_iam_role": {"r": role}, "aws_iam_policy": {"b": {"policy": {"Statement": [allow(json!("s3:*"), json!("*"))]}}}}),
            )
        };
        let bounded = || role(Some("${aws_iam_policy.b.arn}"));
        assert_eq!(permissions(&bounded(), &role(None))[0].verdict, Verdict::Widened);
        assert_eq!(permissions(&role(None), &bounded())[0].verdict, Verdict::Narrowed);
        let attached = |arn: &str| {
            module(json!({"aws_iam_role_policy_attachment": {"a": {"role": "r", "policy_arn": arn}}}))
        };
        let admin = attached("arn:aws:iam::aws:policy/AdministratorAccess");
        assert_eq!(permissions(&module(json!({})), &admin)[0].verdict, Verdict::Widened);
        assert_eq!(permissions(&admin, &module(json!({})))[0].verdict, Verdict::Narrowed);
    }
}
