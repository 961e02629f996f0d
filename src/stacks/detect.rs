//! What watches the account: trail, AWS Config, GuardDuty, Security Hub, Inspector, Access Analyzer; and the account's
//! own settings.
//!
//! Each of them exists once per account, or once per account and region, so one environment builds them for all
//! (`account.baseline`), and it leaves out what somebody else looks after (`account.elsewhere`). Shield Advanced
//! protects what belongs to an environment, and so is every environment's own.

mod access;
mod conformance;
mod defaults;
mod guardduty;
mod macie;
mod recorder;
mod security_hub;
mod shield;
mod trail;

#[cfg(test)]
mod tests;

pub use conformance::{missing as missing_rules, names as conformance_rules, region_is_known};

use aws::{
    AccessanalyzerAnalyzerHandle, CloudtrailHandle, ConfigConfigurationRecorderStatusHandle,
    GuarddutyDetectorHandle, Inspector2Enabler, Inspector2EnablerHandle, SecurityhubAccountHandle,
};
use terraform::{Stack, set};

use super::{alb, kms, logs, network, storage};
use crate::config::{EnvConfig, InspectorScan, Part};

/// What the detective controls stand on.
pub struct Inputs<'a> {
    /// The keys.
    pub keys: &'a kms::Outputs,
    /// The buckets.
    pub buckets: &'a storage::Outputs,
    /// The log groups.
    pub logs: &'a logs::Outputs,
    /// The network.
    pub network: &'a network::Outputs,
    /// The load balancer.
    pub alb: &'a alb::Outputs,
}

/// The detective controls that this environment owns; none of those that are another's.
pub struct Outputs {
    /// The account's trail; its events are in the log group [`logs::Outputs::trail`] as well.
    pub trail: Option<CloudtrailHandle>,
    /// AWS Config's recorder, recording; its `name()` is the recorder's.
    pub recorder: Option<ConfigConfigurationRecorderStatusHandle>,
    /// GuardDuty's detector.
    pub detector: Option<GuarddutyDetectorHandle>,
    /// Security Hub.
    pub security_hub: Option<SecurityhubAccountHandle>,
    /// Amazon Inspector.
    pub inspector: Option<Inspector2EnablerHandle>,
    /// IAM Access Analyzer for access from outside.
    pub analyzer: Option<AccessanalyzerAnalyzerHandle>,
}

/// Builds the detective controls.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Outputs {
    let owns = |part| config.account.owns(part);
    let trail = inputs.logs.trail.as_ref().map(|group| trail::build(stack, config, inputs, group));
    let recorder = owns(Part::Recorder).then(|| recorder::build(stack, config, inputs));
    let detector = owns(Part::GuardDuty).then(|| guardduty::build(stack, config, inputs));
    let inspector = owns(Part::Inspector).then(|| inspector(stack, config)).flatten();
    let analyzer = owns(Part::AccessAnalyzer).then(|| access::analyzers(stack, config));
    if owns(Part::PasswordPolicy) {
        access::password_policy(stack);
    }
    if owns(Part::SupportRole) {
        access::support_role(stack, config);
    }
    if owns(Part::Defaults) {
        defaults::build(stack, config, inputs);
    }
    if config.account.baseline {
        access::security_contact(stack, config);
        if config.detection.macie.enabled {
            macie::build(stack, config, inputs);
        }
    }
    let security_hub = owns(Part::SecurityHub).then(|| security_hub::build(stack, config, recorder.as_ref()));
    if config.shield.subscribed {
        shield::build(stack, config, inputs);
    }
    Outputs { trail, recorder, detector, security_hub, inspector, analyzer }
}

/// Vulnerabilities in images, and in whatever else the account comes to run (PCI 6.3.1, 11.3.1).
fn inspector(stack: &mut Stack<'_>, config: &EnvConfig) -> Option<Inspector2EnablerHandle> {
    let scans = &config.detection.inspector_scans;
    (!scans.is_empty()).then(|| {
        stack.add(
            "main",
            Inspector2Enabler {
                account_ids: set([config.account_id.to_string()]),
                resource_types: set(scans.iter().map(|scan| resource_type(*scan)).collect::<Vec<_>>()),
            },
        )
    })
}

const fn resource_type(scan: InspectorScan) -> &'static str {
    match scan {
        InspectorScan::Ecr => "ECR",
        InspectorScan::Ec2 => "EC2",
        InspectorScan::Lambda => "LAMBDA",
        InspectorScan::LambdaCode => "LAMBDA_CODE",
    }
}
