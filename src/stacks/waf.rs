//! The web ACL in front of the load balancer.

use aws::Wafv2WebAclHandle;
use terraform::Stack;

use super::{alb, logs};
use crate::config::EnvConfig;

/// The web ACL.
pub struct Outputs {
    /// The web ACL.
    pub web_acl: Wafv2WebAclHandle,
}

/// Builds the web ACL, attaches it and turns its logs on.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, alb: &alb::Outputs, logs: &logs::Outputs) -> Outputs {
    let _ = (stack, config, alb, logs);
    todo!()
}
