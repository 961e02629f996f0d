//! The internet-facing load balancer, its listeners, certificate and DNS records.

use aws::{LbHandle, LbListenerHandle, LbTargetGroupHandle};
use terraform::Stack;

use super::{network, storage};
use crate::config::EnvConfig;

/// The load balancer and what the service needs of it.
pub struct Outputs {
    /// The load balancer.
    pub load_balancer: LbHandle,
    /// The HTTPS listener; the service depends on it.
    pub https_listener: LbListenerHandle,
    /// The target group that the tasks register in.
    pub target_group: LbTargetGroupHandle,
}

/// Builds the load balancer.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    network: &network::Outputs,
    buckets: &storage::Outputs,
) -> Outputs {
    let _ = (stack, config, network, buckets);
    todo!()
}
