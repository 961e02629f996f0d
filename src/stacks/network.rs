//! The VPC: subnets by tier, routes, NAT, network ACLs, endpoints, flow logs, security groups.

use aws::{SecurityGroupHandle, SubnetHandle, VpcHandle};
use terraform::Stack;

use super::{logs, storage};
use crate::config::EnvConfig;

/// The VPC and what stands in it.
pub struct Outputs {
    /// The VPC.
    pub vpc: VpcHandle,
    /// The load balancer's and the NAT gateways' subnets, in the order of the availability zones.
    pub public_subnets: Vec<SubnetHandle>,
    /// The tasks' and the endpoints' subnets.
    pub private_subnets: Vec<SubnetHandle>,
    /// The data stores' subnets.
    pub data_subnets: Vec<SubnetHandle>,
    /// The load balancer's security group.
    pub alb_security_group: SecurityGroupHandle,
    /// The tasks' security group.
    pub tasks_security_group: SecurityGroupHandle,
    /// The data stores' security group.
    pub data_security_group: SecurityGroupHandle,
}

/// Builds the network.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    logs: &logs::Outputs,
    buckets: &storage::Outputs,
) -> Outputs {
    let _ = (stack, config, logs, buckets);
    todo!()
}
