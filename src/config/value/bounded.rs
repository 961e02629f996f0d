//! Whole numbers with a range that is part of their type.

use super::Invalid;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::{borrow::Cow, fmt};

/// A whole number from `MIN` to `MAX`, both included. The unit is in the name of the field that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Bounded<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Bounded<MIN, MAX> {
    /// A number known when compiling; one outside the range does not compile.
    #[must_use]
    pub const fn literal<const N: u32>() -> Self {
        const { assert!(N >= MIN && N <= MAX, "outside the range of this number") };
        Self(N)
    }

    /// A number from elsewhere, if it lies in the range.
    ///
    /// # Errors
    /// When it does not; the error names the range.
    pub fn new(number: u32) -> Result<Self, Invalid> {
        if (MIN..=MAX).contains(&number) {
            return Ok(Self(number));
        }
        Err(Self::outside(number))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    fn outside(number: impl fmt::Display) -> Invalid {
        Invalid::new(format!("{number} is out of range"), format!("a whole number from {MIN} to {MAX}"))
    }
}

impl<const MIN: u32, const MAX: u32> fmt::Display for Bounded<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Bounded<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let in_u32 = u32::try_from(number).map_err(|_| de::Error::custom(Self::outside(number)))?;
        Self::new(in_u32).map_err(de::Error::custom)
    }
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Bounded<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("From{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}
