//! Checks of `[alarms]`.

use crate::config::EnvConfig;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::Alarms;
use crate::config::suggest;
use crate::stacks;

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

/// What is silenced is an alarm of this environment: a misspelt name would go on telling people, or, after an alarm was
/// renamed, do so again.
pub(super) fn check_silenced(config: &EnvConfig, problems: &mut Problems) {
    if config.alarms.silenced.is_empty() || problems.has_errors() {
        return;
    }
    let names = stacks::alarms::names(config);
    for (at, silence) in config.alarms.silenced.iter().enumerate() {
        let name = silence.alarm.as_str();
        if !names.iter().any(|known| known == name) {
            let help = match suggest::nearest(name, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`? docs/alarms.md lists all of them"),
                None => "a name from docs/alarms.md".to_owned(),
            };
            problems.error(
                KeyPath::from("alarms.silenced").index(at).key("alarm"),
                format!("this environment has no alarm `{name}`"),
                help,
            );
        }
    }
}
