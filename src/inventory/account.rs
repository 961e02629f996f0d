//! What is in an account and in no state, from `aws resourcegroupstaggingapi get-resources`.

use super::Existing;
use crate::config::EnvConfig;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What the command prints.
#[derive(Deserialize)]
struct Resources {
    #[serde(rename = "ResourceTagMappingList")]
    list: Vec<Mapping>,
}

#[derive(Deserialize)]
struct Mapping {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "Tags", default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Value")]
    value: String,
}

/// A resource that is in the account and in no state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untracked {
    /// Its ARN.
    pub arn: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The resources of the account that no state knows, in the order of their ARNs.
///
/// # Errors
/// When the text is not what the command prints.
pub fn untracked(account: &str, states: &[Existing]) -> Result<Vec<Untracked>, serde_json::Error> {
    let known: BTreeSet<&str> =
        states.iter().filter_map(|existing| existing.arn.as_deref()).map(plain).collect();
    let resources: Resources = serde_json::from_str(account)?;
    let ids: BTreeSet<&str> = states.iter().filter_map(|existing| existing.id.as_deref()).collect();
    let tracked = |arn: &str| known.contains(plain(arn)) || ec2_id(arn).is_some_and(|id| ids.contains(id));
    let unknown = resources.list.into_iter().filter(|mapping| !tracked(&mapping.arn));
    let mut found: Vec<Untracked> = unknown
        .map(|mapping| Untracked {
            arn: mapping.arn,
            tags: mapping.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
        })
        .collect();
    found.sort_by(|a, b| a.arn.cmp(&b.arn));
    Ok(found)
}

/// The provider writes a log group's ARN without the `:*` that AWS ends it with.
fn plain(arn: &str) -> &str {
    arn.strip_suffix(":*").unwrap_or(arn)
}

/// The identifier of a thing of EC2, which is its own in the world. The provider knows no ARN of some, NAT gateways among
/// them.
fn ec2_id(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    (parts.nth(2) == Some("ec2")).then(|| parts.nth(2)?.rsplit('/').next())?
}

/// How many resources one call may tag.
/// <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html>
const RESOURCES_MAX: usize = 20;

/// The commands that would give the resources the environment's tags: all but `ManagedBy`, which would not be true.
/// Every argument is quoted, so that a shell takes it as it stands.
#[must_use]
pub fn commands(config: &EnvConfig, untracked: &[Untracked]) -> String {
    let mut tags = config.default_tags();
    tags.remove("ManagedBy");
    let tags = serde_json::to_string(&tags).unwrap_or_default();
    untracked
        .chunks(RESOURCES_MAX)
        .map(|chunk| {
            let arns: Vec<String> = chunk.iter().map(|resource| format!("  {} \\\n", quote(&resource.arn))).collect();
            format!(
                "aws resourcegroupstaggingapi tag-resources --region {} --resource-arn-list \\\n{}  --tags {}\n",
                quote(config.region.as_str()),
                arns.concat(),
                quote(&tags)
            )
        })
        .collect()
}

/// A word of a POSIX shell that stands for the text, whatever is in it.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_provider_knows_no_arn_of_is_found_by_its_identifier() {
        let account = r#"{"ResourceTagMappingList":[
            {"ResourceARN":"arn:aws:ec2:us-east-1:111122223333:natgateway/nat-0a1b"},
            {"ResourceARN":"arn:aws:ec2:us-east-1:111122223333:natgateway/nat-0c2d"},
            {"ResourceARN":"arn:aws:ecs:us-east-1:111122223333:cluster/nat-0a1b"}]}"#;
        let state = r#"{"version":4,"resources":[{"mode":"managed","type":"aws_nat_gateway","name":"a",
            "instances":[{"attributes":{"id":"nat-0a1b"}}]}]}"#;
        let found = untracked(account, &super::super::read(state).expect("a state")).expect("readable");
        let arns: Vec<&str> = found.iter().map(|resource| resource.arn.as_str()).collect();
        assert_eq!(arns.len(), 2);
        assert!(
            arns[0].ends_with("natgateway/nat-0c2d") && arns[1].ends_with("cluster/nat-0a1b"),
            "{arns:?}"
        );
    }

    #[test]
    fn what_no_state_knows_is_found_and_its_arn_cannot_escape_its_quotes() {
        let account = r#"{"ResourceTagMappingList":[
            {"ResourceARN":"arn:aws:logs:us-east-1:111122223333:log-group:known:*","Tags":[]},
            {"ResourceARN":"arn:aws:s3:::it's; rm -rf $HOME","Tags":[{"Key":"a","Value":"b"}]}]}"#;
        let state = r#"{"version":4,"resources":[{"mode":"managed","type":"aws_cloudwatch_log_group","name":"k",
            "instances":[{"attributes":{"arn":"arn:aws:logs:us-east-1:111122223333:log-group:known"}}]}]}"#;
        let found = untracked(account, &super::super::read(state).expect("a state")).expect("readable");
        assert_eq!(found.len(), 1);
        let commands = commands(&EnvConfig::for_test(""), &found);
        assert!(commands.contains(r"'arn:aws:s3:::it'\''s; rm -rf $HOME'"), "{commands}");
        assert!(
            commands.contains("\"pci_scope\":\"in-scope\"") && !commands.contains("ManagedBy"),
            "{commands}"
        );
    }
}
