//! `alarms.silenced` names alarms that there are.

use crate::config::EnvConfig;
use crate::config::problem::{KeyPath, Problems};
use crate::config::suggest;
use crate::stacks::alarms;
use crate::synth::synth;

/// What is silenced is an alarm of this environment: a misspelt name would go on telling people, or, after an alarm was
/// renamed, do so again.
pub fn check(config: &EnvConfig, problems: &mut Problems) {
    if config.alarms.silenced.is_empty() || problems.has_errors() {
        return;
    }
    let names = match synth(config) {
        Ok(root) => alarms::names(&root, config),
        Err(errors) => {
            problems.error(
                "alarms.silenced",
                format!("which alarms there are cannot be told: {errors}"),
                "mend that first",
            );
            return;
        }
    };
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
