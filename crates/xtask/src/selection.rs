//! `bindings.toml`: which types are generated, and what the schema does not say about them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The contents of `bindings.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Resource types.
    pub resources: Vec<String>,
    /// Data source types.
    pub data_sources: Vec<String>,
    /// Ephemeral resource types.
    pub ephemeral_resources: Vec<String>,
    omit: BTreeMap<String, String>,
    identify: Identify,
    require: Require,
    documents: BTreeMap<String, String>,
    same: BTreeMap<String, String>,
    edges: BTreeMap<String, Targets>,
    /// Entries that matched something.
    #[serde(skip)]
    used: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identify {
    by: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Require {
    blocks: Vec<String>,
}

/// One target, or several for an argument that takes more than one kind.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Targets {
    One(String),
    Several(Vec<String>),
}

/// What an argument refers to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing: plain text.
    Text,
    /// Attributes such as `aws_vpc.id`.
    Attributes(Vec<String>),
    /// A JSON document of this kind.
    Document(String),
}

impl Selection {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml_edit::de::from_str(&text).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Whether the argument or nested block at `path` is left out.
    pub fn omits(&mut self, path: &str) -> bool {
        self.omit.contains_key(path) && self.mark("omit", path)
    }

    /// Whether the argument at `path` is given, although it looks like one that is only read.
    pub fn identifies(&mut self, path: &str) -> bool {
        self.identify.by.iter().any(|i| i == path) && self.mark("identify", path)
    }

    /// Whether the nested block at `path` is required although the schema says otherwise.
    pub fn requires(&mut self, path: &str) -> bool {
        self.require.blocks.iter().any(|b| b == path) && self.mark("require", path)
    }

    /// What the string argument at `path` refers to.
    pub fn kind(&mut self, path: &str) -> Kind {
        for (section, key) in Self::keys(path) {
            if section == "documents" {
                if let Some(document) = self.documents.get(&key).cloned() {
                    self.mark("documents", &key);
                    return Kind::Document(document);
                }
            } else if let Some(targets) = self.edges.get(&key).cloned() {
                self.mark("edges", &key);
                return match targets {
                    Targets::One(text) if text == "text" => Kind::Text,
                    Targets::One(one) => Kind::Attributes(vec![one]),
                    Targets::Several(several) => Kind::Attributes(several),
                };
            }
        }
        Kind::Text
    }

    /// The keys under which an entry for `path` may stand, the closest ones first. Wildcards mean resources.
    fn keys(path: &str) -> Vec<(&'static str, String)> {
        let mut keys = vec![path.to_owned()];
        if path.starts_with("aws_")
            && let Some((kind, rest)) = path.split_once('.')
        {
            let tails = rest.match_indices('.').map(|(i, _)| &rest[i + 1..]);
            keys.extend(std::iter::once(rest).chain(tails).map(|tail| format!("{kind}.**.{tail}")));
            keys.extend(rest.rsplit('.').next().map(|last| format!("*.{last}")));
        }
        keys.into_iter().flat_map(|key| [("documents", key.clone()), ("edges", key)]).collect()
    }

    /// The attribute whose kind the attribute at `path` shares, if not its own.
    pub fn same(&mut self, path: &str) -> Option<String> {
        let same = self.same.get(path).cloned()?;
        self.mark("same", path);
        Some(same)
    }

    /// Every attribute that some argument refers to.
    pub fn targets(&self) -> BTreeSet<String> {
        let edges = self.edges.values().flat_map(|t| match t {
            Targets::One(one) => vec![one.clone()],
            Targets::Several(several) => several.clone(),
        });
        edges.chain(self.same.values().cloned()).filter(|t| t != "text").collect()
    }

    /// The document kinds.
    pub fn document_kinds(&self) -> BTreeSet<String> {
        self.documents.values().cloned().collect()
    }

    fn mark(&mut self, section: &str, key: &str) -> bool {
        self.used.insert(format!("{section} {key}"));
        true
    }

    /// Fails if some entry matched nothing.
    pub fn check_used(&self) -> Result<()> {
        let entries = (self.omit.keys().map(|k| format!("omit {k}")))
            .chain(self.identify.by.iter().map(|k| format!("identify {k}")))
            .chain(self.require.blocks.iter().map(|k| format!("require {k}")))
            .chain(self.documents.keys().map(|k| format!("documents {k}")))
            .chain(self.same.keys().map(|k| format!("same {k}")))
            .chain(self.edges.keys().map(|k| format!("edges {k}")));
        let unused: Vec<String> = entries.filter(|e| !self.used.contains(e)).collect();
        if unused.is_empty() {
            return Ok(());
        }
        bail!("these entries of bindings.toml match nothing in the schema:\n  {}", unused.join("\n  "))
    }
}
