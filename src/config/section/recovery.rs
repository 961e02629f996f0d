//! `[recovery]`: a second region.

use crate::config::value::Region;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What outlives the loss of the environment's region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Recovery {
    /// The region that the tables in DynamoDB are replicated to, and that images and the copies of AWS Backup go to as
    /// well; of the same partition. None: the environment outlives the loss of a zone, not that of its region.
    pub region: Option<Region>,
}
