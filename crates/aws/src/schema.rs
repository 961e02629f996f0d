//! What the provider says of its resources, as recorded in `crates/aws/schema`: types of arguments, and which changes of one
//! replace the resource.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// The recorded schema of resources.
#[derive(Debug, Deserialize)]
pub struct Schema {
    resources: BTreeMap<String, Block>,
    shapes: BTreeMap<String, Block>,
}

/// A block: its arguments and attributes, and its nested blocks.
#[derive(Debug, Deserialize)]
pub struct Block {
    /// Arguments and attributes by name.
    #[serde(default)]
    pub attributes: BTreeMap<String, Attribute>,
    #[serde(default)]
    blocks: BTreeMap<String, Nested>,
}

/// An argument or attribute.
#[derive(Debug, Deserialize)]
pub struct Attribute {
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
}

/// A type of Terraform's: <https://developer.hashicorp.com/terraform/internals/json-format#schema-representation>.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub enum Type {
    /// A text.
    String,
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// In order.
    List(Box<Type>),
    /// Without order, each once.
    Set(Box<Type>),
    /// By key.
    Map(Box<Type>),
    /// By the names of its members.
    Object(BTreeMap<String, Type>),
    /// One that is not known here.
    Other,
}

impl TryFrom<serde_json::Value> for Type {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        use serde_json::Value;
        Ok(match value {
            Value::String(name) => match name.as_str() {
                "string" => Self::String,
                "number" => Self::Number,
                "bool" => Self::Bool,
                _ => Self::Other,
            },
            Value::Array(parts) => {
                let mut parts = parts.into_iter();
                let (Some(Value::String(name)), Some(of)) = (parts.next(), parts.next()) else {
                    return Err("a type of one word and another type".to_owned());
                };
                match (name.as_str(), of) {
                    ("object", Value::Object(members)) => {
                        let members = members.into_iter().map(|(name, ty)| Ok((name, Self::try_from(ty)?)));
                        Self::Object(members.collect::<Result<_, String>>()?)
                    }
                    ("list", of) => Self::List(Box::new(Self::try_from(of)?)),
                    ("set", of) => Self::Set(Box::new(Self::try_from(of)?)),
                    ("map", of) => Self::Map(Box::new(Self::try_from(of)?)),
                    _ => Self::Other,
                }
            }
            _ => Self::Other,
        })
    }
}

#[derive(Debug, Deserialize)]
struct Nested {
    nesting: Nesting,
    shape: String,
}

/// How a nested block may repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Nesting {
    /// At most once, as an object.
    Single,
    /// In order.
    List,
    /// Without order.
    Set,
}

/// What stands under a name in a block.
#[derive(Clone, Copy, Debug)]
pub enum Member<'s> {
    /// An argument of this type.
    Argument(&'s Type),
    /// A nested block.
    Nested(Nesting, &'s Block),
}

impl Schema {
    /// The schema that is checked in.
    ///
    /// # Panics
    /// Where it cannot be read, which a test of this crate rules out.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a checked-in file that a test reads")]
    pub fn recorded() -> &'static Self {
        static RECORDED: OnceLock<Schema> = OnceLock::new();
        RECORDED.get_or_init(|| {
            serde_json::from_str(include_str!("../schema/aws-5.100.0.json")).expect("the recorded schema")
        })
    }

    /// A type of resources, if it is recorded.
    #[must_use]
    pub fn resource(&self, kind: &str) -> Option<&Block> {
        self.resources.get(kind)
    }

    /// What a block holds under a name.
    #[must_use]
    pub fn member<'s>(&'s self, block: &'s Block, name: &str) -> Option<Member<'s>> {
        if let Some(attribute) = block.attributes.get(name) {
            return Some(Member::Argument(&attribute.ty));
        }
        let nested = block.blocks.get(name)?;
        Some(Member::Nested(nested.nesting, self.shapes.get(&nested.shape)?))
    }
}

/// In which way an argument differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// It has another value.
    Changed,
    /// It had none.
    Added,
    /// It has none any more.
    Removed,
}

/// What Terraform does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Nothing: the provider takes both for the same, or keeps what is there.
    Nothing,
    /// It updates the resource in place.
    Update,
    /// It may have to replace it.
    May,
    /// It replaces the resource.
    Replace,
}

/// Which changes replace a resource, as `cargo xtask replacement` asked the provider.
#[derive(Debug, Deserialize)]
pub struct Replacement {
    types: BTreeMap<String, BTreeMap<String, char>>,
}

impl Replacement {
    /// The table that is checked in.
    ///
    /// # Panics
    /// Where it cannot be read, which a test of this crate rules out.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a checked-in file that a test reads")]
    pub fn recorded() -> &'static Self {
        static RECORDED: OnceLock<Replacement> = OnceLock::new();
        RECORDED.get_or_init(|| {
            serde_json::from_str(include_str!("../schema/replacement.json"))
                .expect("the recorded replacements")
        })
    }

    /// Reads a table of the same form as the one that is checked in.
    ///
    /// # Errors
    /// Where it is of another form.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// What happens where the argument of a path (`setting.value`, without the places in lists, down to a set) differs in a
    /// way. What was not asked of the provider, or hangs on something else, may replace.
    #[must_use]
    pub fn effect(&self, kind: &str, path: &str, way: Way) -> Effect {
        let letter = self.types.get(kind).and_then(|paths| paths.get(path));
        match (letter, way) {
            (Some('u'), _) => Effect::Update,
            (Some('r'), Way::Changed) => Effect::Replace,
            (Some('n'), Way::Changed) => Effect::Nothing,
            // Where the other value is none, the provider may keep the one that is there.
            _ => Effect::May,
        }
    }

    /// Whether the provider was asked about an argument.
    #[must_use]
    pub fn knows(&self, kind: &str, path: &str) -> bool {
        self.types.get(kind).is_some_and(|paths| paths.contains_key(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_files_are_read() {
        let schema = Schema::recorded();
        let listener = schema.resource("aws_lb").expect("a load balancer");
        assert!(matches!(schema.member(listener, "subnets"), Some(Member::Argument(Type::Set(_)))));
        assert!(matches!(schema.member(listener, "access_logs"), Some(Member::Nested(Nesting::List, _))));
        let acl = schema.resource("aws_wafv2_web_acl").expect("a web ACL");
        assert!(matches!(schema.member(acl, "rule"), Some(Member::Nested(Nesting::Set, _))));
    }

    #[test]
    fn what_was_not_asked_may_replace() {
        let table =
            Replacement::read(r#"{"types": {"aws_a": {"b": "r", "c.d": "u", "e": "n"}}}"#).expect("a table");
        for (path, way, effect) in [
            ("b", Way::Changed, Effect::Replace),
            ("b", Way::Removed, Effect::May),
            ("c.d", Way::Added, Effect::Update),
            ("e", Way::Changed, Effect::Nothing),
            ("e", Way::Added, Effect::May),
            ("f", Way::Changed, Effect::May),
        ] {
            assert_eq!(table.effect("aws_a", path, way), effect, "{path}");
        }
        assert_eq!(table.effect("aws_b", "b", Way::Changed), Effect::May);
        assert!(table.knows("aws_a", "b") && !table.knows("aws_a", "f"));
        let _recorded = Replacement::recorded();
    }
}
