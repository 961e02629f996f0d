//! `[account]`: what there is once per account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What exists once per account and region, whatever the number of environments in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// Whether this environment owns the account-wide singletons: registry scanning, password policy, account-wide
    /// public access block and the like. True, because one account per environment is the safer set-up and there the
    /// singletons need an owner; of several environments in one account, exactly one may own them.
    pub baseline: bool,
}

impl Default for Account {
    fn default() -> Self {
        Self { baseline: true }
    }
}
