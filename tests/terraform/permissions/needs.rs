//! What the calls of AWS's APIs take: actions of IAM on resources, with the condition keys that a request tells.
//!
//! An action has the name of its call, and is asked on what its resource types name among the parameters, both by AWS's own
//! list (`crates/policy`). What differs stands in the tables here; a call that neither knows is an error.

use std::collections::{BTreeMap, BTreeSet};

use iam_policy::{Action, Catalog, Text};
use serde_json::Value;
use test_kit::local_aws::Call;

/// An action on a resource, with the values of the condition keys that are known; none of a key that is not in the request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    pub(super) action: String,
    pub(super) resource: Text,
    pub(super) keys: BTreeMap<String, Vec<String>>,
}

/// What calls take in an account, in the order in which they were made.
pub(super) struct Needs<'a> {
    account: &'a str,
    /// Calls repeat, and AWS's list is long: what was looked up is kept.
    actions: BTreeMap<String, Option<Action<'static>>>,
    /// The keys behind aliases, which the call that takes an alias away does not tell.
    aliases: BTreeMap<(String, String), String>,
}

/// What everybody may ask, whatever policies say.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
const FREE: &str = "sts:GetCallerIdentity";

impl<'a> Needs<'a> {
    pub(super) fn new(account: &'a str) -> Self {
        Self { account, actions: BTreeMap::new(), aliases: BTreeMap::new() }
    }

    /// What a call takes: its own actions on each of their resources, to tag what it makes with tags, and to pass the roles
    /// that it hands to a service. An error says what no table knows.
    pub(super) fn of(&mut self, call: &Call) -> Result<Vec<Need>, String> {
        let Some(operation) = call.operation.as_deref() else {
            return Err(format!("{}: the API has no operation for {}", call.service, call.params));
        };
        let key = self.key_of_alias(call);
        let mut keys = BTreeMap::from([("aws:RequestedRegion".to_owned(), vec![call.region.clone()])]);
        keys.extend(keys_of(call));
        let mut all = Vec::new();
        for name in actions(call, operation) {
            let action = if name.contains(':') { name } else { format!("{}:{name}", call.service) };
            if action == FREE {
                continue;
            }
            let known = self.known(&action);
            let known = known
                .ok_or_else(|| format!("{}:{operation}: AWS's list has no action {action}", call.service))?;
            let resources = key.clone().map_or_else(|| resources(call, known, self.account), |key| vec![key]);
            for resource in resources {
                all.push(Need { action: known.to_string(), resource, keys: keys.clone() });
            }
        }
        for (at, role) in passed(call) {
            let service =
                PASSED.iter().find(|(prefix, place, _)| *prefix == call.service && at.ends_with(place));
            let (.., service) = service
                .ok_or_else(|| format!("{}:{operation}: to whom is {role} passed as {at}?", call.service))?;
            let mut keys = keys.clone();
            keys.insert("iam:PassedToService".to_owned(), vec![(*service).to_owned()]);
            all.push(Need { action: "iam:PassRole".to_owned(), resource: Text::from(role), keys });
        }
        Ok(all)
    }

    /// The key behind the alias that a call is about.
    fn key_of_alias(&mut self, call: &Call) -> Option<Text> {
        let text = |name: &str| call.params[name].as_str().map(str::to_owned);
        let alias = (call.region.clone(), text("AliasName")?);
        if let Some(key) = text("TargetKeyId") {
            self.aliases.insert(alias.clone(), key);
        }
        let key = self.aliases.get(&alias)?;
        let arn = format!("arn:aws:kms:{}:{}:key/{key}", call.region, self.account);
        Some(if key.starts_with("arn:") { key.as_str().into() } else { arn.into() })
    }

    fn known(&mut self, action: &str) -> Option<Action<'static>> {
        let look = || match Catalog::recorded().matching(&Text::from(action))[..] {
            [one] => Some(one),
            _ => None,
        };
        *self.actions.entry(action.to_owned()).or_insert_with(look)
    }
}

/// Calls whose actions have other names, by service and call.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
const OTHER_NAMES: [(&str, &str, &str); 28] = [
    ("s3", "DeleteBucketEncryption", "PutEncryptionConfiguration"),
    ("s3", "DeleteBucketLifecycle", "PutLifecycleConfiguration"),
    ("s3", "DeleteBucketOwnershipControls", "PutBucketOwnershipControls"),
    ("s3", "DeleteBucketReplication", "PutReplicationConfiguration"),
    ("s3", "DeleteBucketTagging", "PutBucketTagging"),
    ("s3", "GetBucketAccelerateConfiguration", "GetAccelerateConfiguration"),
    ("s3", "GetBucketEncryption", "GetEncryptionConfiguration"),
    ("s3", "GetBucketInventoryConfiguration", "GetInventoryConfiguration"),
    ("s3", "GetBucketLifecycleConfiguration", "GetLifecycleConfiguration"),
    ("s3", "GetBucketNotificationConfiguration", "GetBucketNotification"),
    ("s3", "GetBucketReplication", "GetReplicationConfiguration"),
    ("s3", "GetObjectLockConfiguration", "GetBucketObjectLockConfiguration"),
    ("s3", "HeadBucket", "ListBucket"),
    ("s3", "HeadObject", "GetObject"),
    ("s3", "ListBuckets", "ListAllMyBuckets"),
    ("s3", "ListMultipartUploads", "ListBucketMultipartUploads"),
    ("s3", "ListObjectVersions", "ListBucketVersions"),
    ("s3", "ListObjects", "ListBucket"),
    ("s3", "ListObjectsV2", "ListBucket"),
    ("s3", "PutBucketEncryption", "PutEncryptionConfiguration"),
    ("s3", "PutBucketInventoryConfiguration", "PutInventoryConfiguration"),
    ("s3", "PutBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
    ("s3", "PutBucketNotificationConfiguration", "PutBucketNotification"),
    ("s3", "PutBucketReplication", "PutReplicationConfiguration"),
    ("s3", "PutObjectLockConfiguration", "PutBucketObjectLockConfiguration"),
    // A vault is made in two places: <https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault.html>
    ("backup", "CreateBackupVault", "CreateBackupVault"),
    ("backup", "CreateBackupVault", "backup-storage:MountCapsule"),
    ("backup", "CreateLogicallyAirGappedBackupVault", "backup-storage:MountCapsule"),
];

fn actions(call: &Call, operation: &str) -> Vec<String> {
    let others =
        OTHER_NAMES.iter().filter(|(service, name, _)| *service == call.service && *name == operation);
    let mut actions: Vec<String> = others.map(|(.., action)| (*action).to_owned()).collect();
    if call.service == "s3" {
        actions.extend(actions_of_s3(call, operation));
    }
    if actions.is_empty() {
        actions.push(operation.to_owned());
    }
    actions.extend(tagging(call, operation).map(str::to_owned));
    actions
}

/// The calls of S3 whose actions hang on their parameters.
fn actions_of_s3(call: &Call, operation: &str) -> Vec<String> {
    // The settings of an account and of a bucket are one call each, and two actions.
    if let Some(verb) = operation.strip_suffix("PublicAccessBlock") {
        let whose = if call.params.get("AccountId").is_some() { "Account" } else { "Bucket" };
        let verb = if verb == "Delete" { "Put" } else { verb };
        return vec![format!("{verb}{whose}PublicAccessBlock")];
    }
    let actions: &[&str] = match operation {
        // A bucket with locks is made with versions: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
        "CreateBucket" if call.params["ObjectLockEnabledForBucket"] == true => {
            &["CreateBucket", "PutBucketObjectLockConfiguration", "PutBucketVersioning"]
        }
        "DeleteObjects" => {
            let objects = call.params["Delete"]["Objects"].as_array();
            let versions = objects.into_iter().flatten().any(|object| object["VersionId"].is_string());
            let lifted = call.params["BypassGovernanceRetention"] == true;
            match (versions, lifted) {
                (false, _) => &["DeleteObject"],
                (true, false) => &["DeleteObjectVersion"],
                (true, true) => &["DeleteObjectVersion", "BypassGovernanceRetention"],
            }
        }
        "DeleteObject" if call.params["VersionId"].is_string() => &["DeleteObjectVersion"],
        "GetObject" if call.params["VersionId"].is_string() => &["GetObjectVersion"],
        _ => &[],
    };
    actions.iter().map(|action| (*action).to_owned()).collect()
}

/// Services in which tagging is called otherwise than `TagResource`.
const TAGGING: [(&str, &str); 8] = [
    ("acm", "AddTagsToCertificate"),
    ("cloudtrail", "AddTags"),
    ("ec2", "CreateTags"),
    ("elasticloadbalancing", "AddTags"),
    ("firehose", "TagDeliveryStream"),
    ("rds", "AddTagsToResource"),
    ("route53", "ChangeTagsForResource"),
    ("sqs", "TagQueue"),
];

/// What a call takes that makes something with tags.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html>
fn tagging(call: &Call, operation: &str) -> Option<&'static str> {
    let makes = ["Create", "Put", "Register", "Request", "Restore", "Run"];
    if !makes.iter().any(|verb| operation.starts_with(verb)) || tags(&call.params).is_empty() {
        return None;
    }
    match (call.service.as_str(), operation) {
        // Of a bucket in a call of its own.
        ("s3", _) => None,
        ("iam", "CreateRole") => Some("TagRole"),
        ("iam", "CreatePolicy") => Some("TagPolicy"),
        ("iam", "CreateOpenIDConnectProvider") => Some("TagOpenIDConnectProvider"),
        (service, _) => {
            let other = TAGGING.iter().find(|(name, _)| *name == service);
            Some(other.map_or("TagResource", |(_, action)| action))
        }
    }
}

/// The tags among the parameters: `Tags`, `tags`, `TagList` or `TagSpecifications`, as a list or a map.
fn tags(params: &Value) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    for (name, value) in params.as_object().into_iter().flatten() {
        if !name.to_lowercase().contains("tag") {
            continue;
        }
        match value {
            Value::Array(items) => {
                for item in items {
                    let part = |key: &str| text(&item[key]).or_else(|| text(&item[key.to_lowercase()]));
                    match part("Key") {
                        Some(key) => all.extend([(key, part("Value").unwrap_or_default())]),
                        None => all.extend(tags(item)),
                    }
                }
            }
            Value::Object(map) => {
                all.extend(map.iter().filter_map(|(key, value)| Some((key.clone(), text(value)?))));
            }
            _ => {}
        }
    }
    all
}

/// Which service a role is passed to: by IAM's prefix of the call and the end of the parameter's place.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>
const PASSED: [(&str, &str, &str); 13] = [
    ("backup", ".IamRoleArn", "backup.amazonaws.com"),
    ("cloudtrail", ".CloudWatchLogsRoleArn", "cloudtrail.amazonaws.com"),
    ("codedeploy", ".serviceRoleArn", "codedeploy.amazonaws.com"),
    ("config", ".roleARN", "config.amazonaws.com"),
    ("ec2", ".DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),
    ("ecs", ".executionRoleArn", "ecs-tasks.amazonaws.com"),
    ("ecs", ".taskRoleArn", "ecs-tasks.amazonaws.com"),
    ("firehose", ".RoleARN", "firehose.amazonaws.com"),
    ("lambda", ".Role", "lambda.amazonaws.com"),
    ("logs", ".roleArn", "logs.amazonaws.com"),
    ("rds", ".MonitoringRoleArn", "monitoring.rds.amazonaws.com"),
    ("s3", ".Role", "s3.amazonaws.com"),
    ("shield", ".RoleArn", "drt.shield.amazonaws.com"),
];

/// The roles among the parameters, with the place of each.
fn passed(call: &Call) -> Vec<(String, String)> {
    let mut all = Vec::new();
    // A role is what calls of IAM and STS are about, and whom a grant of KMS is for.
    if !["iam", "kms", "sts"].contains(&call.service.as_str()) {
        strings(&call.params, "", &mut |at, text| {
            let role = text.starts_with("arn:") && text.contains(":iam::") && text.contains(":role/");
            if role && !text.contains(['{', '*']) {
                all.push((at.to_owned(), text.to_owned()));
            }
        });
    }
    all
}

/// Visits every text of the parameters with its place, `.Rules[].Arn`.
pub(super) fn strings(value: &Value, at: &str, visit: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => visit(at, text),
        Value::Array(all) => all.iter().for_each(|one| strings(one, &format!("{at}[]"), visit)),
        Value::Object(all) => {
            all.iter().for_each(|(key, one)| strings(one, &format!("{at}.{key}"), visit));
        }
        _ => {}
    }
}

/// The condition keys that a request tells. Tags of what is there already are not known.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
fn keys_of(call: &Call) -> BTreeMap<String, Vec<String>> {
    let text = |name: &str| call.params[name].as_str().map(str::to_owned);
    let mut keys = BTreeMap::new();
    let mut know = |key: &str, value: Option<String>| {
        keys.insert(key.to_owned(), value.into_iter().collect::<Vec<_>>());
    };
    match call.service.as_str() {
        "iam" => {
            // Of a new role the boundary that it is given, of one that is there its own.
            let own = call.role.as_ref().and_then(|role| role["boundary"].as_str()).map(str::to_owned);
            know("iam:PermissionsBoundary", text("PermissionsBoundary").or(own));
            know("iam:AWSServiceName", text("AWSServiceName"));
            know("iam:PolicyARN", text("PolicyArn"));
        }
        "kms" => {
            // AWS's services ask so, when they use a key in a caller's name.
            know("kms:GrantIsForAWSResource", Some("false".to_owned()));
            know("kms:GranteePrincipal", text("GranteePrincipal"));
        }
        "dynamodb" => {
            let item = if call.params["Key"].is_object() { "Key" } else { "Item" };
            know("dynamodb:LeadingKeys", call.params[item]["LockID"]["S"].as_str().map(str::to_owned));
        }
        _ => {}
    }
    let tags = tags(&call.params);
    for (key, value) in &tags {
        know(&format!("aws:RequestTag/{key}"), Some(value.clone()));
    }
    keys.insert("aws:TagKeys".to_owned(), tags.into_keys().collect());
    keys
}

/// What an action is asked on. A part that the parameters do not tell stays unknown.
fn resources(call: &Call, action: Action<'_>, account: &str) -> Vec<Text> {
    let role = |path: &str| format!("arn:aws:iam::{account}:role{path}");
    let text = |name: &str| call.params[name].as_str().unwrap_or_default();
    match (action.service, call.operation.as_deref().unwrap_or_default()) {
        ("iam", "CreateRole") => {
            let path = call.params["Path"].as_str().unwrap_or("/");
            return vec![role(&format!("{path}{}", text("RoleName"))).into()];
        }
        ("iam", "CreateServiceLinkedRole") => {
            let path = role(&format!("/aws-service-role/{}/AWSServiceRoleFor", text("AWSServiceName")));
            return vec![Text::from(path).then(Text::unknown("RoleName"))];
        }
        ("iam", "CreatePolicy") => {
            let path = call.params["Path"].as_str().unwrap_or("/");
            return vec![format!("arn:aws:iam::{account}:policy{path}{}", text("PolicyName")).into()];
        }
        ("iam", _) if call.role.is_some() => {
            let arn = call.role.as_ref().and_then(|role| role["arn"].as_str()).unwrap_or_default();
            return vec![arn.into()];
        }
        _ => {}
    }
    let templates: Vec<&str> = action.resource_arns().collect();
    if templates.is_empty() {
        return vec!["*".into()];
    }
    let mut named = BTreeSet::new();
    strings(&call.params, "", &mut |_, text| {
        if templates.iter().any(|template| is_like(template, text)) {
            named.insert(Text::from(text));
        }
    });
    if !named.is_empty() {
        return named.into_iter().collect();
    }
    let filled: Vec<Text> = templates.iter().map(|template| filled(template, call, account)).collect();
    let whole: Vec<Text> = filled.iter().filter(|text| text.known().is_some()).cloned().collect();
    if whole.is_empty() { filled } else { whole }
}

/// A resource type's ARN with the parameters put in.
fn filled(template: &str, call: &Call, account: &str) -> Text {
    Text::terraform_with(template, &|name| match name {
        "Partition" => Some("aws".into()),
        "Region" => Some(call.region.as_str().into()),
        "Account" => Some(account.into()),
        name => parameter(&call.params, name).map(Text::from),
    })
}

/// The parameter that a part of an ARN is filled with: its name ends as the part's does (`TargetKeyId`), or is the part's
/// without the last word (`Bucket` of `BucketName`).
fn parameter(params: &Value, name: &str) -> Option<String> {
    let name = if name == "ObjectName" { "Key" } else { name };
    let (name, short) = (name.to_lowercase(), name.trim_end_matches("Name").to_lowercase());
    let fits = |key: &str| key.to_lowercase().ends_with(&name) || key.to_lowercase() == short;
    let found = params.as_object()?.iter().find(|(key, _)| fits(key))?.1.as_str()?;
    (!found.starts_with("arn:")).then(|| found.to_owned())
}

/// Whether a text is an ARN of that kind: `${…}` stands for any text.
fn is_like(template: &str, text: &str) -> bool {
    let mut parts = template.split("${");
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    for part in parts {
        let literal = part.split_once('}').map_or("", |(_, literal)| literal);
        if literal.is_empty() {
            return !rest.is_empty();
        }
        let Some(at) = rest.find(literal) else { return false };
        rest = &rest[at + literal.len()..];
    }
    rest.is_empty()
}
