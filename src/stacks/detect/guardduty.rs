//! GuardDuty: who behaves as an intruder would (PCI 11.5.1, 5.2.1).

use aws::guardduty_detector_feature as feature;
use aws::{
    GuarddutyDetector, GuarddutyDetectorFeature, GuarddutyDetectorFeatureOptional, GuarddutyDetectorHandle,
    GuarddutyPublishingDestination,
};
use terraform::{Meta, Stack, set};

use super::Inputs;
use crate::config::{EnvConfig, GuardDutyPlan};

pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> GuarddutyDetectorHandle {
    let detector = stack.add_with(
        "main",
        Meta::new().prevent_destroy(config.protection),
        GuarddutyDetector {
            enable: set(true),
            // Of a finding that recurs, the soonest that there is.
            finding_publishing_frequency: set("FIFTEEN_MINUTES"),
            ..Default::default()
        },
    );
    // A plan that is not wanted is switched off: a new detector has most of them on.
    for plan in GuardDutyPlan::ALL {
        let wanted = config.detection.guardduty_plans.contains(&plan);
        if wanted || plan.is_offered(&config.region) {
            switch(stack, &detector, plan, wanted);
        }
    }
    if config.exports_findings() {
        export(stack, inputs, &detector);
    }
    stack.output("guardduty_detector_id", "GuardDuty's detector.", detector.id());
    detector
}

fn switch(stack: &mut Stack<'_>, detector: &GuarddutyDetectorHandle, plan: GuardDutyPlan, on: bool) {
    let name = name(plan);
    stack.add(
        name.to_ascii_lowercase(),
        GuarddutyDetectorFeature {
            detector_id: detector.id(),
            name: set(name),
            status: set(status(on)),
            optional: GuarddutyDetectorFeatureOptional { additional_configuration: agents(plan, on) },
        },
    );
}

const fn status(on: bool) -> &'static str {
    if on { "ENABLED" } else { "DISABLED" }
}

const fn name(plan: GuardDutyPlan) -> &'static str {
    match plan {
        GuardDutyPlan::S3 => "S3_DATA_EVENTS",
        GuardDutyPlan::Runtime => "RUNTIME_MONITORING",
        GuardDutyPlan::Rds => "RDS_LOGIN_EVENTS",
        GuardDutyPlan::Lambda => "LAMBDA_NETWORK_LOGS",
        GuardDutyPlan::Malware => "EBS_MALWARE_PROTECTION",
        GuardDutyPlan::Eks => "EKS_AUDIT_LOGS",
    }
}

/// Who puts GuardDuty's agent where something runs. In tasks on Fargate it can only be GuardDuty itself; instances and
/// Kubernetes clusters there are none of, and whoever makes one decides. All three are said, since one that is left out
/// shows as a difference: <https://github.com/hashicorp/terraform-provider-aws/issues/36695>.
fn agents(plan: GuardDutyPlan, on: bool) -> Vec<feature::AdditionalConfiguration> {
    if plan != GuardDutyPlan::Runtime {
        return Vec::new();
    }
    let agents = [
        ("EKS_ADDON_MANAGEMENT", false),
        ("ECS_FARGATE_AGENT_MANAGEMENT", on),
        ("EC2_AGENT_MANAGEMENT", false),
    ];
    agents
        .into_iter()
        .map(|(name, on)| feature::AdditionalConfiguration { name: set(name), status: set(status(on)) })
        .collect()
}

/// Findings for longer than the 90 days that GuardDuty keeps them, where nobody can change them (PCI 10.5.1).
fn export(stack: &mut Stack<'_>, inputs: &Inputs<'_>, detector: &GuarddutyDetectorHandle) {
    let audit = &inputs.buckets.audit;
    stack.add_with(
        "findings",
        // GuardDuty tries the way out when it is told of it.
        audit.before(Meta::new()),
        GuarddutyPublishingDestination {
            detector_id: detector.id(),
            destination_arn: set(audit.arn()),
            kms_key_arn: set(inputs.keys.logs.arn()),
            optional: Default::default(),
        },
    );
}
