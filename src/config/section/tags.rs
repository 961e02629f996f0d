//! `[tags]`: what every resource is tagged with.

use crate::config::value::{TagKey, TagText};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tags of every resource, besides `Environment`, `Project`, `Owner` and `ManagedBy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tags {
    /// Who pays; the tag `cost_center`. None.
    pub cost_center: Option<TagText>,
    /// How sensitive the data is; the tag `data_classification`. Why the strictest class: it is cardholder data.
    pub data_classification: DataClassification,
    /// The part that the environment plays in a PCI assessment; the tag `pci_scope`. What is out of scope must say so.
    pub pci_scope: PciScope,
    /// Further tags, at most 40; the keys that txnr sets itself are refused.
    pub extra: BTreeMap<TagKey, TagText>,
    /// Keys without which nothing is synthesized, such as `cost_center`. Those that txnr sets itself are always there.
    pub required: Vec<TagKey>,
    /// The values that a key may have, by key; a tag of that key with any other value stops the synthesis. Any value.
    pub allowed: BTreeMap<TagKey, Vec<TagText>>,
}

impl Tags {
    /// The keys of the tags that txnr sets on every resource.
    pub const OWN_KEYS: [&str; 7] = [
        "Environment",
        "Project",
        "Owner",
        "ManagedBy",
        Self::COST_CENTER,
        "data_classification",
        "pci_scope",
    ];

    /// The one of them that a resource may lack.
    pub const COST_CENTER: &str = "cost_center";

    /// Whether two keys are one. Those that differ in case only are two tags to some services and one to IAM, which
    /// refuses the second, so they count as the same here.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules_creating>
    #[must_use]
    pub fn same_key(one: &str, other: &str) -> bool {
        one.to_lowercase() == other.to_lowercase()
    }
}

impl Default for Tags {
    fn default() -> Self {
        Self {
            cost_center: None,
            data_classification: DataClassification::Restricted,
            pci_scope: PciScope::InScope,
            extra: BTreeMap::new(),
            required: Vec::new(),
            allowed: BTreeMap::new(),
        }
    }
}

/// How sensitive data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DataClassification {
    /// For everyone.
    Public,
    /// For members of the organization.
    Internal,
    /// For those who need it.
    Confidential,
    /// Cardholder data and the like.
    Restricted,
}

impl DataClassification {
    /// The class as a tag's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
        }
    }
}

/// The part that an environment plays in a PCI assessment.
/// <https://www.pcisecuritystandards.org/documents/Guidance-PCI-DSS-Scoping-and-Segmentation_v1_1.pdf>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PciScope {
    /// Stores, processes or transmits cardholder data.
    InScope,
    /// Connected to what does, or able to affect its security.
    ConnectedTo,
    /// Neither.
    OutOfScope,
}

impl PciScope {
    /// The scope as a tag's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InScope => "in-scope",
            Self::ConnectedTo => "connected-to",
            Self::OutOfScope => "out-of-scope",
        }
    }
}
