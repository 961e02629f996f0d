//! Checks of `[[deviations]]`, and of what production may not have without one.

use crate::config::EnvConfig;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{GuardDutyPlan, InspectorScan, PciScope};

pub(super) fn check(config: &EnvConfig, problems: &mut Problems) {
    check_list(config, problems);
    if config.production {
        check_scope(config, problems);
        check_weakened(config, problems);
    }
}

fn check_list(config: &EnvConfig, problems: &mut Problems) {
    let path = |at: usize| KeyPath::from("deviations").index(at);
    for (at, deviation) in config.deviations.iter().enumerate() {
        if config.deviations.iter().take(at).any(|earlier| earlier.control == deviation.control) {
            let what = format!("two deviations are from {}", deviation.control);
            problems.error(path(at).key("control"), what, "one for each control");
        }
        if deviation.approver == deviation.owner {
            problems.error(
                path(at).key("approver"),
                "whoever answers for a deviation does not approve it as well",
                "somebody else",
            );
        }
    }
}

/// What handles cardholder data is in scope, whatever its tags say.
fn check_scope(config: &EnvConfig, problems: &mut Problems) {
    if config.tags.pci_scope == PciScope::OutOfScope {
        problems
            .error(
                "tags.pci_scope",
                "a production environment handles cardholder data, and is in scope (PCI DSS 12.5.2)",
                "remove the line, or say `production = false` if no real cardholder data is handled here",
            )
            .because_of(&["production"]);
    }
}

/// A key that takes a control away from production.
struct Weakened {
    control: &'static str,
    key: &'static str,
    what: &'static str,
    is: bool,
}

/// What production goes without is said: `txnr check` calls the control violated until a deviation stands.
fn check_weakened(config: &EnvConfig, problems: &mut Problems) {
    let (detection, region) = (&config.detection, &config.region);
    let baseline = config.account.baseline;
    let silenced =
        |names: &[&str]| config.alarms.silenced.iter().any(|silence| names.contains(&silence.alarm.as_str()));
    let plans = |plans: &[GuardDutyPlan]| {
        plans.iter().any(|plan| plan.is_offered(region) && !detection.guardduty_plans.contains(plan))
    };
    let scans = InspectorScan::ALL
        .iter()
        .any(|scan| scan.is_offered(region) && !detection.inspector_scans.contains(scan));
    let others =
        GuardDutyPlan::ALL.map(|plan| if plan == GuardDutyPlan::Runtime { GuardDutyPlan::S3 } else { plan });
    let all = [
        Weakened {
            control: "R088",
            key: "account.baseline",
            what: "nobody is named who keeps the account's trail and detectors",
            is: !baseline && config.account.baseline_owner.is_none(),
        },
        Weakened {
            control: "R098",
            key: "alb.access_logs",
            what: "requests to the load balancer are not logged",
            is: !config.alb.access_logs,
        },
        Weakened {
            control: "R055",
            key: "alb.hsts_max_age_seconds",
            what: "browsers are not told for a year to come by HTTPS",
            is: config.alb.hsts_max_age_seconds.get() < 31_536_000,
        },
        Weakened {
            control: "R056",
            key: "detection.guardduty_plans",
            what: "nothing watches the tasks at run time",
            is: baseline && plans(&[GuardDutyPlan::Runtime]),
        },
        Weakened {
            control: "R112",
            key: "detection.guardduty_plans",
            what: "GuardDuty lacks plans that the region offers",
            is: baseline && plans(&others),
        },
        Weakened {
            control: "R109",
            key: "detection.inspector_scans",
            what: "Inspector lacks scans that the region offers",
            is: baseline && scans,
        },
        Weakened {
            control: "R105",
            key: "alarms.silenced",
            what: "nobody is told when the root user is used, or signs in without a second factor",
            is: silenced(&["root-used", "login-without-mfa"]),
        },
        Weakened {
            control: "R123",
            key: "ecr.pull_accounts",
            what: "other accounts pull the images",
            is: !config.ecr.pull_accounts.is_empty(),
        },
    ];
    for weak in all.into_iter().filter(|weak| weak.is) {
        if config.deviations.iter().any(|deviation| deviation.control.as_str() == weak.control) {
            continue;
        }
        problems
            .warning(
                weak.key,
                format!("in production {}: `txnr check` calls {} violated", weak.what, weak.control),
                help(weak.control),
            )
            .because_of(&["production"]);
    }
}

fn help(control: &str) -> String {
    match control {
        "R088" => {
            "`baseline_owner` under [account]: the environment or the team that owns the baseline".to_owned()
        }
        _ => format!(
            "the default, or under [[deviations]] why not: control = \"{control}\", owner, reason, compensating, approver, expires"
        ),
    }
}
