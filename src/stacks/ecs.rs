//! The cluster, the task definition, the service and its autoscaling.

use aws::{EcsClusterHandle, EcsServiceHandle};
use terraform::Stack;

use super::{alb, ecr, iam, kms, logs, network};
use crate::config::EnvConfig;

/// The cluster and the service.
pub struct Outputs {
    /// The cluster.
    pub cluster: EcsClusterHandle,
    /// The service.
    pub service: EcsServiceHandle,
}

/// What the service stands on.
pub struct Inputs<'a> {
    /// The keys.
    pub keys: &'a kms::Outputs,
    /// The log groups.
    pub logs: &'a logs::Outputs,
    /// The network.
    pub network: &'a network::Outputs,
    /// The image repository.
    pub ecr: &'a ecr::Outputs,
    /// The load balancer.
    pub alb: &'a alb::Outputs,
    /// The roles.
    pub iam: &'a iam::Outputs,
}

/// Builds the cluster and the service.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Outputs {
    let _ = (stack, config, inputs);
    todo!()
}
