//! Every resource of an environment, as an assessor asks for it (PCI DSS 12.5.1): what will exist, from the synthesized
//! module; what exists, from a state or a plan; and what is in the account and in neither.

mod account;
mod existing;
mod table;
mod zone;

pub use account::{Untracked, commands, untracked};
pub use existing::{Existing, StateError, read};
pub use table::{Format, render};
pub use zone::Zone;

use crate::config::{EnvConfig, Tags};
use serde::Serialize;
use std::collections::BTreeMap;
use terraform::{Mode, Node, Root, Value};

/// A resource of the inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its address in Terraform.
    pub address: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name in AWS, or in Terraform where AWS gives it none.
    pub name: String,
    /// Its tags, those of the provider among them.
    pub tags: BTreeMap<String, String>,
    /// Whether its type takes tags.
    pub taggable: bool,
    /// Where it stands in the network.
    pub zone: Zone,
    /// How sensitive the data is that it handles.
    pub data_classification: String,
    /// Its part in a PCI assessment.
    pub pci_scope: String,
}

/// What stands for a tag that is known only once the resource exists.
const UNKNOWN: &str = "(known after apply)";
/// The arguments that hold a resource's name, the telling ones first.
const NAMES: [&str; 11] = [
    "name",
    "bucket",
    "identifier",
    "cluster_identifier",
    "family",
    "domain_name",
    "service_name",
    "dashboard_name",
    "alarm_name",
    "analyzer_name",
    "policy_name",
];

/// Every resource that an environment's module will make, in the order of its addresses.
#[must_use]
pub fn of(config: &EnvConfig, root: &Root) -> Vec<Item> {
    let zones = zone::of(root);
    let managed = root.nodes().iter().zip(zones).filter(|(node, _)| node.address().mode() == Mode::Managed);
    let mut items: Vec<Item> = managed.map(|(node, zone)| item(config, node, zone)).collect();
    items.sort_by(|a, b| a.address.cmp(&b.address));
    items
}

fn item(config: &EnvConfig, node: &Node, zone: Zone) -> Item {
    let mut tags = BTreeMap::new();
    if node.taggable() {
        tags.extend(config.default_tags().into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())));
        if let Some(Value::Object(own)) = node.argument("tags") {
            let text = |value: &Value| value.as_str().unwrap_or(UNKNOWN).to_owned();
            tags.extend(own.iter().map(|(key, value)| (key.to_string(), text(value))));
        }
    }
    let named = NAMES.iter().find_map(|name| node.argument(name)?.as_str().map(str::to_owned));
    let name = tags.get("Name").cloned().or(named).unwrap_or_else(|| node.address().name().to_owned());
    Item {
        address: node.address().to_string(),
        kind: node.address().kind().to_owned(),
        name,
        taggable: node.taggable(),
        zone,
        data_classification: own_or(&tags, "data_classification", config.tags.data_classification.as_str()),
        pci_scope: own_or(&tags, "pci_scope", config.tags.pci_scope.as_str()),
        tags,
    }
}

/// A tag's value, or that of the environment for what takes no tags.
fn own_or(tags: &BTreeMap<String, String>, key: &str, environment: &str) -> String {
    tags.get(key).cloned().unwrap_or_else(|| environment.to_owned())
}

/// The keys that an item should have as tags and has not.
#[must_use]
pub fn missing_tags(config: &EnvConfig, item: &Item) -> Vec<String> {
    if !item.taggable {
        return Vec::new();
    }
    let own = Tags::OWN_KEYS.iter().filter(|key| **key != "cost_center").map(|key| (*key).to_owned());
    let required = config.tags.required.iter().map(ToString::to_string);
    own.chain(required).filter(|key| item.tags.get(key).is_none_or(String::is_empty)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stacks::probe::FLEETING;
    use crate::synth::synth;

    fn inventory(text: &str) -> Vec<Item> {
        let config = EnvConfig::for_test(text);
        of(&config, &synth(&config).expect("a module"))
    }

    #[test]
    fn every_resource_that_takes_tags_has_those_of_the_environment() {
        let config = EnvConfig::for_test("");
        for item in inventory("") {
            assert_eq!(missing_tags(&config, &item), Vec::<String>::new(), "{}", item.address);
            assert!(item.taggable || item.tags.is_empty(), "{}", item.address);
        }
    }

    #[test]
    fn no_resource_replaces_a_tag_of_the_environment() {
        let config = EnvConfig::for_test("");
        for item in inventory("").into_iter().filter(|item| item.taggable) {
            for (key, text) in config.default_tags() {
                assert_eq!(item.tags.get(key).map(String::as_str), Some(text), "{} {key}", item.address);
            }
        }
    }

    #[test]
    fn zones_follow_the_subnets() {
        let items = inventory(&format!("{FLEETING}service.image = \"v1\"\n"));
        let zone = |address: &str| items.iter().find(|item| item.address == address).map(|item| item.zone);
        assert_eq!(zone("aws_lb.main"), Some(Zone::Public));
        assert_eq!(zone("aws_lb_listener.https"), Some(Zone::Public));
        assert_eq!(zone("aws_subnet.private_a"), Some(Zone::Private));
        assert_eq!(zone("aws_vpc.main"), Some(Zone::Network));
        assert_eq!(zone("aws_ecr_repository.main"), Some(Zone::Account));
        let service = items.iter().find(|item| item.kind == "aws_ecs_service").expect("a service");
        assert_eq!(service.zone, Zone::Private);
    }
}
