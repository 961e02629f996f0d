//! Security Hub: every finding in one place, and the account judged by PCI DSS and by AWS's own best practices (PCI
//! 10.4.1.1).

use aws::{
    ConfigConfigurationRecorderStatusHandle, SecurityhubAccount, SecurityhubAccountHandle,
    SecurityhubStandardsControlAssociation, SecurityhubStandardsControlAssociationOptional,
    SecurityhubStandardsSubscription, SecurityhubStandardsSubscriptionHandle,
};
use terraform::{Meta, Stack, set};

use crate::config::{EnvConfig, InterfaceEndpoint, NetworkPart};

pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    recorder: Option<&ConfigConfigurationRecorderStatusHandle>,
) -> SecurityhubAccountHandle {
    let hub = stack.add_with(
        "main",
        Meta::new().prevent_destroy(config.protection),
        SecurityhubAccount {
            // Which standards there are is said below; by default AWS subscribes others by itself.
            enable_default_standards: set(false),
            auto_enable_controls: set(true),
            // One finding for a control, however many standards it belongs to.
            control_finding_generator: set("SECURITY_CONTROL"),
        },
    );
    let pci = standard(stack, config, &hub, recorder, "pci", "pci-dss/v/4.0.1");
    let best = "aws-foundational-security-best-practices/v/1.0.0";
    let foundational = standard(stack, config, &hub, recorder, "foundational", best);
    for (control, reason) in deviations(config) {
        disable(stack, &foundational, "foundational", control, reason.to_owned());
    }
    for (control, reason) in &config.detection.disabled_controls {
        for (name, standard) in [("pci", &pci), ("foundational", &foundational)] {
            disable(stack, standard, name, control.as_str(), reason.to_string());
        }
    }
    stack.output("security_hub_arn", "Security Hub.", hub.arn());
    hub
}

/// Most controls ask AWS Config, so a standard waits for the recording to begin.
fn standard(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    hub: &SecurityhubAccountHandle,
    recorder: Option<&ConfigConfigurationRecorderStatusHandle>,
    name: &str,
    standard: &str,
) -> SecurityhubStandardsSubscriptionHandle {
    let mut meta = Meta::new().depends_on(hub);
    if let Some(recorder) = recorder {
        meta = meta.depends_on(recorder);
    }
    let (partition, region) = (config.partition(), &config.region);
    stack.add_with(
        name,
        meta,
        SecurityhubStandardsSubscription {
            standards_arn: set(format!("arn:{partition}:securityhub:{region}::standards/{standard}")),
        },
    )
}

const NO_CALLER: &str = "Nothing in the VPC calls this API, and an endpoint without need is one more way out";

/// Controls of the best practices that the design deviates from, none of them in the standard for PCI DSS. What fails
/// for single resources alone, such as encryption of the access bucket with a key (S3.17), stays on for the others.
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/fsbp-standard.html>
fn deviations(config: &EnvConfig) -> impl Iterator<Item = (&'static str, &'static str)> {
    let interface = &config.network.endpoints.interface;
    let ours = config.network.owns(NetworkPart::InterfaceEndpoints);
    let all = [
        (true, "EC2.10", NO_CALLER),
        (ours && !interface.contains(&InterfaceEndpoint::Ssm), "EC2.57", NO_CALLER),
        (true, "EC2.58", NO_CALLER),
        (true, "EC2.60", NO_CALLER),
        (
            !config.detection.block_other_vpcs,
            "EC2.172",
            "The load balancer faces the internet; routes and security groups say what else does",
        ),
        (!config.detection.macie.enabled, "Macie.1", "Macie is off by decision of the environment"),
        (!config.detection.macie.enabled, "Macie.2", "Macie is off by decision of the environment"),
    ];
    let wanted = config.detection.disable_deviations;
    all.into_iter()
        .filter(move |(deviates, ..)| wanted && *deviates)
        .map(|(_, control, reason)| (control, reason))
}

fn disable(
    stack: &mut Stack<'_>,
    standard: &SecurityhubStandardsSubscriptionHandle,
    name: &str,
    control: &str,
    reason: String,
) {
    stack.add(
        format!("{name}_{}", control.to_ascii_lowercase().replace('.', "_")),
        SecurityhubStandardsControlAssociation {
            standards_arn: set(standard.standards_arn()),
            security_control_id: set(control.to_owned()),
            association_status: set("DISABLED"),
            optional: SecurityhubStandardsControlAssociationOptional { updated_reason: set(reason) },
        },
    );
}
