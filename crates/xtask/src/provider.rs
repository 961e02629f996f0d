//! The provider's schema: asking Terraform for it, trimming it, reading the trimmed file.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::selection::Selection;
use crate::{files, shapes};

/// The provider that the bindings are generated from.
pub const SOURCE: &str = "hashicorp/aws";
/// Its version.
pub const VERSION: &str = "5.100.0";
const FILE: &str = "aws-5.100.0.json";

/// The trimmed schema.
#[derive(Serialize, Deserialize)]
pub struct Schema {
    /// Where it comes from.
    #[serde(rename = "//")]
    pub comment: String,
    /// The provider's own configuration.
    pub provider: Block,
    /// Resource types.
    pub resources: BTreeMap<String, Block>,
    /// Data source types.
    pub data_sources: BTreeMap<String, Block>,
    /// Ephemeral resource types.
    pub ephemeral_resources: BTreeMap<String, Block>,
    /// Nested blocks by the digest of their content: equal ones stand here once.
    pub shapes: BTreeMap<String, Block>,
}

/// A block: its arguments and attributes, and its nested blocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Arguments and attributes by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub attributes: IndexMap<String, Attribute>,
    /// Nested blocks by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub blocks: IndexMap<String, Nested>,
}

/// An argument or attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// Terraform's type: `"string"`, `["list", "string"]`, …
    #[serde(rename = "type")]
    pub ty: Value,
    /// Must be given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// May be given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Is known after apply if not given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub computed: bool,
    /// Is hidden in output.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// Is never stored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub write_only: bool,
}

/// A nested block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Nested {
    /// `single`, `list` or `set`.
    pub nesting: Nesting,
    /// The fewest that must stand.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub min: usize,
    /// The most that may stand; no limit if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
    /// The key of its content among the shapes.
    pub shape: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// How a nested block may repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Nesting {
    /// At most once, as an object.
    Single,
    /// In order.
    List,
    /// Without order.
    Set,
}

impl Schema {
    /// Reads the trimmed schema from its folder.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}; run `cargo xtask schema`", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }
}

/// Asks Terraform for the schema and writes the trimmed one, or compares it.
pub fn update(folder: &Path, check: bool) -> Result<()> {
    let selection = Selection::read(&folder.join("bindings.toml"))?;
    let schema = trim(&ask_terraform()?, &selection)?;
    let mut text = serde_json::to_string_pretty(&schema)?;
    text.push('\n');
    let path = folder.join(FILE);
    if !check {
        return files::write(&path, &text);
    }
    if std::fs::read_to_string(&path).ok() != Some(text) {
        bail!("problem: {} is stale\nfix: run `cargo xtask schema` and commit the result", path.display());
    }
    Ok(())
}

fn ask_terraform() -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let root = serde_json::json!({
        "terraform": {"required_providers": {"aws": {"source": SOURCE, "version": VERSION}}}
    });
    std::fs::write(folder.path().join("main.tf.json"), root.to_string())?;
    terraform(folder.path(), &["init", "-no-color"])?;
    let schema = terraform(folder.path(), &["providers", "schema", "-json"])?;
    Ok(serde_json::from_slice(&schema)?)
}

/// What Terraform prints in a folder.
pub fn terraform(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new("terraform")
        .args(arguments)
        .current_dir(folder)
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .context("cannot run `terraform`; install Terraform 1.11 or newer and put it on the PATH")?;
    if !output.status.success() {
        bail!("terraform {} failed:\n{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}

fn trim(full: &Value, selection: &Selection) -> Result<Schema> {
    let provider = &full["provider_schemas"][format!("registry.terraform.io/{SOURCE}")];
    let mut shapes = BTreeMap::new();
    let mut types = |section: &str, names: &[String]| -> Result<BTreeMap<String, Block>> {
        let mut trimmed = BTreeMap::new();
        for name in names {
            let Some(block) = provider[section][name].get("block") else {
                bail!("{section} of provider {SOURCE} {VERSION} has no `{name}`");
            };
            if block["deprecated"] == true {
                bail!("{name} is deprecated in provider {SOURCE} {VERSION}");
            }
            trimmed.insert(name.clone(), shapes::trim(block, &mut shapes));
        }
        Ok(trimmed)
    };
    let resources = types("resource_schemas", &selection.resources)?;
    let data_sources = types("data_source_schemas", &selection.data_sources)?;
    let ephemeral_resources = types("ephemeral_resource_schemas", &selection.ephemeral_resources)?;
    let mut own = provider["provider"]["block"].clone();
    if let Some(blocks) = own["block_types"].as_object_mut() {
        // One argument per AWS service; never generated, and half of the trimmed file.
        blocks.insert("endpoints".into(), serde_json::json!({"nesting_mode": "set", "block": {}}));
    }
    let provider = shapes::trim(&own, &mut shapes);
    let comment = format!("Trimmed from the schema of provider {SOURCE} {VERSION} by `cargo xtask schema`.");
    Ok(Schema { comment, provider, resources, data_sources, ephemeral_resources, shapes })
}
