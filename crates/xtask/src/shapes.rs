//! Trimming blocks, and keeping equal nested blocks once.
//!
//! `aws_wafv2_web_acl` alone holds 9,829 nested blocks of 74 distinct shapes.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value;

use crate::provider::{Attribute, Block, Nested, Nesting};

/// Drops what the bindings do not need, and moves the content of nested blocks to `shapes`.
///
/// Deprecated arguments and blocks go, and so does `timeouts`, which no stack sets.
pub fn trim(block: &Value, shapes: &mut BTreeMap<String, Block>) -> Block {
    let mut trimmed = Block { attributes: IndexMap::new(), blocks: IndexMap::new() };
    for (name, attribute) in object(&block["attributes"]) {
        if attribute["deprecated"] != true {
            trimmed.attributes.insert(name.clone(), self::attribute(attribute));
        }
    }
    for (name, nested) in object(&block["block_types"]) {
        if nested["block"]["deprecated"] == true || name == "timeouts" {
            continue;
        }
        let content = trim(&nested["block"], shapes);
        let shape = digest(&content);
        shapes.insert(shape.clone(), content);
        let nesting = match nested["nesting_mode"].as_str() {
            Some("list") => Nesting::List,
            Some("set") => Nesting::Set,
            _ => Nesting::Single,
        };
        let count = |key: &str| nested[key].as_u64().and_then(|n| usize::try_from(n).ok());
        let nested = Nested { nesting, min: count("min_items").unwrap_or(0), max: count("max_items"), shape };
        trimmed.blocks.insert(name.clone(), nested);
    }
    trimmed.attributes.sort_keys();
    trimmed.blocks.sort_keys();
    trimmed
}

fn attribute(schema: &Value) -> Attribute {
    let flag = |key: &str| schema[key] == true;
    Attribute {
        ty: schema["type"].clone(),
        required: flag("required"),
        optional: flag("optional"),
        computed: flag("computed"),
        sensitive: flag("sensitive"),
        write_only: flag("write_only"),
    }
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// A name for a block's content: FNV-1a of its JSON, which is the same on every machine and version.
fn digest(block: &Block) -> String {
    let json = serde_json::to_string(block).unwrap_or_default();
    let hash = json.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}
