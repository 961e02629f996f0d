//! Alarms, rules on events, the dashboard and saved queries: who is told of what, and what they see.
//!
//! Alarms on single symptoms notify; what users feel is a composite alarm, which pages, once. Controls that fail page by
//! themselves (PCI 10.7.2). Every alarm says what is the case, what to do first and where to read on.

mod backup;
mod controls;
mod dashboard;
mod data;
mod dead_letters;
mod delivery;
mod logging;
mod perimeter;
mod queries;
mod service;
mod trail;
mod zone;

#[cfg(test)]
mod tests;

use terraform::{Node, Root, Stack};

use super::{alb, dns, ecs, kms, logs, network, waf};
use crate::alarm::{self, rule};
use crate::config::EnvConfig;

/// What is watched.
pub struct Inputs<'a> {
    /// The keys.
    pub keys: &'a kms::Outputs,
    /// The topics.
    pub topics: &'a alarm::Topics,
    /// The log groups.
    pub logs: &'a logs::Outputs,
    /// The network.
    pub network: &'a network::Outputs,
    /// The hosted zone, where it is made here.
    pub zone: Option<&'a dns::Zone>,
    /// The load balancer.
    pub alb: &'a alb::Outputs,
    /// The web ACL.
    pub waf: &'a waf::Outputs,
    /// The data stores.
    pub data: &'a super::data::Outputs,
    /// The copies of the data stores, if there are any.
    pub backup: Option<&'a super::backup::Outputs>,
    /// The service.
    pub ecs: &'a ecs::Outputs,
}

/// Builds the alarms and everything around them.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) {
    let dead_letters = dead_letters::build(stack, config, inputs.keys);
    let mut alarms = service::build(stack, config, inputs);
    alarms.extend(perimeter::build(stack, config, inputs));
    alarms.extend(data::build(stack, config, inputs));
    alarms.extend(backup::build(stack, config, inputs));
    alarms.extend(logging::build(stack, config, inputs));
    alarms.extend(zone::build(stack, config, inputs));
    if let Some(trail) = &inputs.logs.trail {
        alarms.extend(trail::build(stack, config, inputs, trail));
    }
    alarms.extend(delivery::build(stack, config, inputs, &dead_letters));
    let to = rule::Destination { topics: inputs.topics, dead_letters: &dead_letters };
    controls::build(stack, config, inputs, &to);
    queries::build(stack, config, inputs);
    dashboard::build(stack, config, inputs, alarms);
}

/// The names of all alarms and rules that a module holds, without the environment's prefix.
#[must_use]
pub fn names(root: &Root, config: &EnvConfig) -> Vec<String> {
    let name = |node: &Node| {
        let argument = match node.address().kind() {
            "aws_cloudwatch_metric_alarm" | "aws_cloudwatch_composite_alarm" => "alarm_name",
            "aws_cloudwatch_event_rule" => "name",
            _ => return None,
        };
        let name = node.argument(argument)?.as_str()?;
        Some(name.strip_prefix(config.names.prefix())?.strip_prefix('-')?.to_owned())
    };
    root.nodes().iter().filter_map(name).collect()
}
