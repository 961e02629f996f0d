//! `detection.rules_left_out` names rules of the conformance pack.

use crate::config::EnvConfig;
use crate::config::problem::{KeyPath, Problems};
use crate::stacks::detect;

/// A misspelt rule would stay in the pack, which then cannot be made.
pub fn check(config: &EnvConfig, problems: &mut Problems) {
    for (at, rule) in config.detection.rules_left_out.iter().enumerate() {
        if !detect::conformance_rules().any(|known| known == rule) {
            problems.error(
                KeyPath::from("detection.rules_left_out").index(at),
                format!("{rule:?} is not a rule of the conformance pack"),
                "the name of one of its rules, such as \"restricted-ssh\"",
            );
        }
    }
}
