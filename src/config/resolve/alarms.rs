//! Checks of `[alarms]`.

use crate::config::problem::Problems;
use crate::config::section::Alarms;

/// In production somebody hears of an alarm (PCI DSS 10.7.2, 12.10.1).
pub(super) fn check(alarms: &Alarms, production: bool, problems: &mut Problems) {
    if production && alarms.page.is_empty() && alarms.subscribed_elsewhere.is_none() {
        problems
            .error(
                "alarms.page",
                "in production somebody hears of an alarm (PCI DSS 10.7.2, 12.10.1), and nobody is named",
                "`page = [\"oncall@example.com\"]` under [alarms], or `subscribed_elsewhere` with how people are told",
            )
            .because_of(&["production"]);
    }
}
