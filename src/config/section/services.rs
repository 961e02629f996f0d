//! `[services.NAME]`: services beside the main one, behind the same load balancer. The keys of their tables stand with those of
//! the main one (`service`).

use super::service::{BlueGreen, Deployment, Service, Strategy};
use crate::config::value::{Bounded, DomainName, PathPattern, RuleName, UrlPath};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a new version of a service beside the main one replaces the old one: CodeDeploy deploys the main one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FurtherDeployment {
    /// Who deploys. `rolling`: Terraform does. `external`: a pipeline updates the service itself, and Terraform leaves
    /// its task definition alone.
    pub strategy: FurtherStrategy,
    /// The share of tasks that keep running during a deployment, in percent.
    pub minimum_healthy_percent: Bounded<0, 100>,
    /// The share of tasks, old and new, that may run during a deployment, in percent.
    pub maximum_percent: Bounded<100, 200>,
    /// Whether ECS rolls a deployment back that fails, or sets off an alarm on errors or unhealthy tasks.
    pub circuit_breaker: bool,
}

impl Default for FurtherDeployment {
    fn default() -> Self {
        Self {
            strategy: FurtherStrategy::Rolling,
            minimum_healthy_percent: Bounded::literal::<100>(),
            maximum_percent: Bounded::literal::<200>(),
            circuit_breaker: true,
        }
    }
}

impl From<FurtherDeployment> for Deployment {
    fn from(further: FurtherDeployment) -> Self {
        Self {
            strategy: match further.strategy {
                FurtherStrategy::Rolling => Strategy::Rolling,
                FurtherStrategy::External => Strategy::External,
            },
            minimum_healthy_percent: further.minimum_healthy_percent,
            maximum_percent: further.maximum_percent,
            circuit_breaker: further.circuit_breaker,
            blue_green: BlueGreen::default(),
        }
    }
}

/// Who deploys a service beside the main one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FurtherStrategy {
    /// Terraform, task by task.
    Rolling,
    /// A pipeline, which updates the service itself.
    External,
}

/// A service beside the main one, as the stacks build it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FurtherService {
    /// The service; its name is unique in the environment.
    pub service: Service,
    /// The hosts whose requests it gets; at least one.
    pub hosts: Vec<DomainName>,
    /// The paths whose requests it gets; empty for all.
    pub paths: Vec<PathPattern>,
    /// What paths of uploads begin with, at each of its hosts.
    pub upload_paths: Vec<UrlPath>,
    /// Its rule's place among those of the other services, unique, 1 to 50000.
    pub priority: u32,
    /// Whether its tasks reach the data stores.
    pub data_stores: bool,
    /// Which destinations outside AWS its tasks reach, by the names of the rules.
    pub egress: Vec<RuleName>,
    /// Whether its outage wakes somebody.
    pub page: bool,
}
