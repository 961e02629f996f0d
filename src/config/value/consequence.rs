//! What may come of a change.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may come of a change, the most dangerous first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Consequence {
    /// Data is destroyed, or expires earlier.
    DataLoss,
    /// Something protects less than before.
    ProtectionLowered,
    /// The network lets something through that it did not.
    NetworkOpened,
    /// Somebody may do more, or it cannot be told.
    Widened,
    /// The service is interrupted.
    Interrupted,
    /// It cannot be undone.
    Irreversible,
    /// It costs more.
    CostsMore,
}

impl Consequence {
    /// Every consequence, the most dangerous first.
    pub const ALL: [Self; 7] = [
        Self::DataLoss,
        Self::ProtectionLowered,
        Self::NetworkOpened,
        Self::Widened,
        Self::Interrupted,
        Self::Irreversible,
        Self::CostsMore,
    ];

    /// Its name on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DataLoss => "data-loss",
            Self::ProtectionLowered => "protection-lowered",
            Self::NetworkOpened => "network-opened",
            Self::Widened => "widened",
            Self::Interrupted => "interrupted",
            Self::Irreversible => "irreversible",
            Self::CostsMore => "costs-more",
        }
    }

    /// What it says to people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::DataLoss => "Data is lost",
            Self::ProtectionLowered => "Protection is lowered",
            Self::NetworkOpened => "The network opens",
            Self::Widened => "Permissions widen",
            Self::Interrupted => "The service is interrupted",
            Self::Irreversible => "Cannot be undone",
            Self::CostsMore => "Costs more",
        }
    }
}

impl std::fmt::Display for Consequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Consequence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|consequence| consequence.name() == text);
        found.ok_or_else(|| {
            format!("{text:?} is none of {}", Self::ALL.map(|consequence| consequence.name()).join(", "))
        })
    }
}
