//! Resolves `[detection]`, and checks it and `[shield]` against what the region's partition offers.

use crate::config::EnvConfig;
use crate::config::file::EnvFile;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{Detection, DetectionFile, GuardDutyPlan, InspectorScan, NetworkPart, Part};
use crate::config::value::{InterfaceEndpoint, Partition, Region};

/// What the account is watched with. `None` if there is no region to tell what it offers.
pub(super) fn resolve(
    file: DetectionFile,
    region: Option<&Region>,
    production: bool,
    problems: &mut Problems,
) -> Option<Detection> {
    if production {
        check_switches(&file, problems);
    }
    check_scans(file.inspector_scans.as_deref().unwrap_or_default(), problems);
    let region = region?;
    check_partition(&file, region.partition(), problems);
    let commercial = region.partition() == Partition::Aws;
    Some(Detection {
        object_events: file.object_events,
        item_events: file.item_events,
        trail_insights: file.trail_insights,
        config_service_role: file.config_service_role,
        conformance_pack: file.conformance_pack.unwrap_or(commercial),
        rules_left_out: file.rules_left_out,
        guardduty_plans: file
            .guardduty_plans
            .unwrap_or_else(|| offered(GuardDutyPlan::ALL, |plan| plan.is_offered(region))),
        guardduty_export: file.guardduty_export,
        disable_deviations: file.disable_deviations.unwrap_or(commercial),
        disabled_controls: file.disabled_controls,
        inspector_scans: file
            .inspector_scans
            .unwrap_or_else(|| offered(InspectorScan::ALL, |scan| scan.is_offered(region))),
        unused_access: file.unused_access.unwrap_or(commercial),
        block_other_vpcs: file.block_other_vpcs,
        macie: file.macie,
    })
}

fn offered<T: Copy, const N: usize>(all: [T; N], is_offered: impl Fn(T) -> bool) -> Vec<T> {
    all.into_iter().filter(|one| is_offered(*one)).collect()
}

/// In production the trail records who touched account data.
fn check_switches(file: &DetectionFile, problems: &mut Problems) {
    let switches = [("object_events", file.object_events), ("item_events", file.item_events)];
    for (key, _) in switches.into_iter().filter(|(_, on)| !on) {
        problems
            .error(
                KeyPath::from("detection").key(key),
                "in production every access to account data is recorded (PCI DSS 10.2.1.1)",
                "remove the line, or say `production = false` if no real cardholder data is handled here",
            )
            .because_of(&["production"]);
    }
}

/// <https://docs.aws.amazon.com/inspector/latest/user/scanning-lambda.html>
fn check_scans(scans: &[InspectorScan], problems: &mut Problems) {
    if scans.contains(&InspectorScan::LambdaCode) && !scans.contains(&InspectorScan::Lambda) {
        problems.error(
            "detection.inspector_scans",
            "the code of Lambda functions is scanned only beside what they depend on",
            "`lambda` in the list as well",
        );
    }
}

/// What the partition does not have cannot be asked for.
fn check_partition(file: &DetectionFile, partition: Partition, problems: &mut Problems) {
    let mut absent = |key: KeyPath, what: &str, remedy: &str| {
        let what = format!("the partition {partition} has no {what}");
        problems.error(key, what, remedy).because_of(&["region"]);
    };
    if partition != Partition::Aws && file.macie.enabled {
        // https://docs.aws.amazon.com/general/latest/gr/macie.html
        absent(KeyPath::from("detection.macie.enabled"), "Amazon Macie", "remove the line");
    }
    let scans = file.inspector_scans.iter().flatten().enumerate();
    for (at, _) in scans.filter(|(_, scan)| **scan == InspectorScan::LambdaCode) {
        if partition != Partition::Aws {
            // https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-inspector2.html
            let key = KeyPath::from("detection.inspector_scans").index(at);
            absent(key, "Lambda code scanning", "the other scans");
        }
    }
    if partition == Partition::AwsCn {
        if file.conformance_pack == Some(true) {
            let key = KeyPath::from("detection.conformance_pack");
            absent(
                key,
                "conformance packs for PCI DSS",
                "remove the line; Security Hub judges by PCI DSS there too",
            );
        }
        let plans = file.guardduty_plans.iter().flatten().enumerate();
        for (at, _) in plans.filter(|(_, plan)| **plan == GuardDutyPlan::Runtime) {
            let key = KeyPath::from("detection.guardduty_plans").index(at);
            absent(key, "Runtime Monitoring of GuardDuty", "the other plans");
        }
    }
}

/// What is singular in an account and not in every partition.
pub(super) fn check_account(file: &EnvFile, problems: &mut Problems) {
    let (account, shield) = (&file.account, &file.shield);
    if !account.baseline && file.detection != DetectionFile::default() {
        problems
            .warning(
                "detection",
                "nothing of this is built: another environment owns the account's baseline",
                "the section in that environment's file, or `baseline = true` under [account] here",
            )
            .because_of(&["account.baseline"]);
    }
    if shield.response_team && !(shield.subscribed && account.baseline) {
        problems
            .error(
                "shield.response_team",
                "AWS's response team is let into a subscribed account by the owner of its baseline alone",
                "`subscribed = true` under [shield] and `baseline = true` under [account], or neither",
            )
            .because_of(&["shield.subscribed", "account.baseline"]);
    }
    let Some(partition) = file.region.as_ref().map(|region| region.partition()) else { return };
    if partition != Partition::Aws && shield.subscribed {
        // https://docs.aws.amazon.com/general/latest/gr/shield.html
        let what = format!("the partition {partition} has no Shield Advanced");
        problems.error("shield.subscribed", what, "remove the line").because_of(&["region"]);
    }
    if partition == Partition::AwsUsGov && account.security_contact.is_some() {
        // https://docs.aws.amazon.com/general/latest/gr/billing.html
        let what = "an account in GovCloud (US) has the contacts of the standard account that it belongs to";
        let remedy = "remove the section, and set the contact in the standard account";
        problems.error("account.security_contact", what, remedy).because_of(&["region"]);
    }
}

/// GuardDuty makes an endpoint of its own where there is none, which Terraform does not know and the tasks' security
/// group does not lead to: the agents would be silent, and the VPC could not be destroyed.
/// <https://docs.aws.amazon.com/guardduty/latest/ug/how-runtime-monitoring-works-ecs-fargate.html>
pub(super) fn check_agent(config: &EnvConfig, problems: &mut Problems) {
    let watched = config.account.owns(Part::GuardDuty)
        && config.detection.guardduty_plans.contains(&GuardDutyPlan::Runtime);
    let ours = config.network.owns(NetworkPart::InterfaceEndpoints);
    if watched && ours && !config.network.endpoints.interface.contains(&InterfaceEndpoint::GuardDutyData) {
        problems.warning(
            "network.endpoints.interface",
            "GuardDuty's agents in the tasks have no way to GuardDuty",
            "`guardduty-data` in the list, or `guardduty_plans` under [detection] without `runtime`",
        );
    }
}
