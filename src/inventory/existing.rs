//! What exists, from a state or a plan of Terraform.

use super::{Item, Zone};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// A resource that exists, or that a plan foresees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Existing {
    /// Its address.
    pub address: String,
    /// Its type.
    pub kind: String,
    /// Its ARN, where it has one that is known.
    pub arn: Option<String>,
    /// Its identifier, where it has one that is known.
    pub id: Option<String>,
    attributes: Map<String, Value>,
}

/// Why a file tells nothing of resources.
#[derive(Debug)]
pub enum StateError {
    /// It is not JSON.
    Json(serde_json::Error),
    /// It is JSON of another kind.
    Kind,
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "not JSON: {error}"),
            Self::Kind => f.write_str("neither a state nor a plan of Terraform"),
        }
    }
}

impl std::error::Error for StateError {}

/// A state file of version 4.
#[derive(Deserialize)]
struct Raw {
    resources: Vec<RawResource>,
}

#[derive(Deserialize)]
struct RawResource {
    #[serde(default)]
    module: Option<String>,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
struct Instance {
    #[serde(default)]
    index_key: Option<Value>,
    #[serde(default)]
    attributes: Map<String, Value>,
}

/// A module of what `terraform show -json` prints.
#[derive(Deserialize, Default)]
struct Shown {
    #[serde(default)]
    resources: Vec<ShownResource>,
    #[serde(default)]
    child_modules: Vec<Shown>,
}

#[derive(Deserialize)]
struct ShownResource {
    address: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    values: Map<String, Value>,
}

/// Reads a state file (version 4), or what `terraform show -json` prints of a state or a plan.
///
/// # Errors
/// When it is none of these.
pub fn read(text: &str) -> Result<Vec<Existing>, StateError> {
    let mut document: Value = serde_json::from_str(text).map_err(StateError::Json)?;
    let mut found = Vec::new();
    let root = ["/planned_values/root_module", "/values/root_module"]
        .iter()
        .find_map(|pointer| document.pointer_mut(pointer).map(Value::take));
    if let Some(root) = root {
        shown(serde_json::from_value(root).map_err(StateError::Json)?, &mut found);
    } else if document["version"] == 4 {
        let raw: Raw = serde_json::from_value(document).map_err(StateError::Json)?;
        raw.resources
            .into_iter()
            .filter(|resource| resource.mode == "managed")
            .for_each(|r| instances(r, &mut found));
    } else if document.get("format_version").is_none() {
        return Err(StateError::Kind);
    }
    found.sort_by(|a: &Existing, b| a.address.cmp(&b.address));
    Ok(found)
}

fn shown(module: Shown, found: &mut Vec<Existing>) {
    for resource in module.resources.into_iter().filter(|resource| resource.mode == "managed") {
        found.push(Existing::new(resource.address, resource.kind, resource.values));
    }
    module.child_modules.into_iter().for_each(|child| shown(child, found));
}

fn instances(resource: RawResource, found: &mut Vec<Existing>) {
    let module = resource.module.map(|module| format!("{module}.")).unwrap_or_default();
    for instance in resource.instances {
        let index = instance.index_key.map(|key| format!("[{key}]")).unwrap_or_default();
        let address = format!("{module}{}.{}{index}", resource.kind, resource.name);
        found.push(Existing::new(address, resource.kind.clone(), instance.attributes));
    }
}

impl Existing {
    fn new(address: String, kind: String, attributes: Map<String, Value>) -> Self {
        let text = |key: &str| attributes.get(key).and_then(Value::as_str).map(str::to_owned);
        let arn = text("arn").or_else(|| text("id").filter(|id| id.starts_with("arn:")));
        let id = text("id");
        Self { address, kind, arn, id, attributes }
    }

    /// The resource in the inventory, placed like the one of its address that the module makes.
    #[must_use]
    pub fn item(&self, synthesized: &[Item]) -> Item {
        let text =
            |key: &str| self.attributes.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let tags: BTreeMap<String, String> = ["tags_all", "tags"]
            .iter()
            .find_map(|key| self.attributes.get(*key)?.as_object())
            .map(|tags| {
                tags.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
            })
            .map(Iterator::collect)
            .unwrap_or_default();
        let bare = self.address.split('[').next().unwrap_or_default();
        let known = synthesized.iter().find(|item| item.address == bare);
        let of_tag = |key: &str, known: Option<&String>| {
            tags.get(key).or(known).cloned().unwrap_or_else(|| "unknown".to_owned())
        };
        let named = super::NAMES.iter().find_map(|name| text(name));
        Item {
            address: self.address.clone(),
            kind: self.kind.clone(),
            name: tags
                .get("Name")
                .map(String::as_str)
                .or(named)
                .or(text("id").filter(|id| is_identifier(id)))
                // A plan knows no identifier yet.
                .unwrap_or_else(|| local_name(&self.address))
                .to_owned(),
            taggable: self.attributes.contains_key("tags_all") || self.attributes.contains_key("tags"),
            zone: known.map_or(Zone::Unknown, |item| item.zone),
            data_classification: of_tag("data_classification", known.map(|item| &item.data_classification)),
            pci_scope: of_tag("pci_scope", known.map(|item| &item.pci_scope)),
            tags,
        }
    }
}

/// What AWS calls a thing by: no ARN, no time, and nothing put together from other names.
fn is_identifier(id: &str) -> bool {
    id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// The name within an address, as Terraform has it.
fn local_name(address: &str) -> &str {
    let bare = address.split('[').next().unwrap_or_default();
    bare.rsplit('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_name_yet_bears_that_of_terraform() {
        let plan = r#"{"planned_values":{"root_module":{"resources":[
            {"address":"aws_eip.nat[\"a.b\"]","mode":"managed","type":"aws_eip","values":{}},
            {"address":"aws_cloudwatch_metric_alarm.cpu","mode":"managed","type":"aws_cloudwatch_metric_alarm",
             "values":{"alarm_name":"txn-dev-cpu","metric_name":"CPU"}},
            {"address":"aws_acm_certificate_validation.main","mode":"managed","type":"aws_acm_certificate_validation",
             "values":{"id":"2026-11-28 16:01:58 +0000 UTC"}},
            {"address":"aws_route_table_association.a","mode":"managed","type":"aws_route_table_association",
             "values":{"id":"rtbassoc-0de0"}}]}}}"#;
        let names: Vec<String> = read(plan).expect("readable").iter().map(|e| e.item(&[]).name).collect();
        assert_eq!(names, ["main", "txn-dev-cpu", "nat", "rtbassoc-0de0"]);
    }

    #[test]
    fn states_and_plans_are_read_alike() {
        let raw = r#"{"version":4,"resources":[
            {"mode":"data","type":"aws_route53_zone","name":"z","instances":[]},
            {"mode":"managed","type":"aws_vpc","name":"main","instances":[
                {"attributes":{"arn":"arn:aws:ec2:x","id":"vpc-1","tags_all":{"Name":"n"}}}]}]}"#;
        let state = r#"{"format_version":"1.0","values":{"root_module":{"resources":[{"address":"aws_vpc.main",
            "mode":"managed","type":"aws_vpc","values":{"arn":"arn:aws:ec2:x","id":"vpc-1","tags_all":{"Name":"n"}}}]}}}"#;
        let plan = state.replacen("\"values\"", "\"planned_values\"", 1);
        let [raw, state, plan] = [raw, state, plan.as_str()].map(|text| read(text).expect("readable"));
        assert_eq!(raw, state);
        assert_eq!(state, plan);
        assert_eq!(raw[0].item(&[]).name, "n");
        assert!(read("{}").is_err() && read("[").is_err());
        assert_eq!(read(r#"{"format_version":"1.0"}"#).expect("an empty state"), []);
    }
}
