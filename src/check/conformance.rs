//! The rules of the conformance pack: those that the file leaves out, and those that the region lacks.

use crate::config::problem::{KeyPath, Problems};
use crate::config::{EnvConfig, Part};
use crate::stacks::detect;

/// A rule that AWS Config does not have in the region is left out, or the pack cannot be made; what is no longer judged is
/// said.
fn check_region(config: &EnvConfig, problems: &mut Problems) {
    if !config.detection.conformance_pack || !config.account.owns(Part::Recorder) {
        return;
    }
    let missing: Vec<&str> = detect::missing_rules(config).collect();
    if missing.is_empty() {
        return;
    }
    let (region, count) = (&config.region, missing.len());
    let what = if detect::region_is_known(config) {
        format!(
            "AWS Config does not have {count} rules of the conformance pack in {region}, so it goes without them: {}",
            missing.join(", ")
        )
    } else {
        format!(
            "which rules AWS Config has in {region} is not known to this version, so there is no conformance pack"
        )
    };
    problems
        .warning(
            "detection.conformance_pack",
            what,
            "judge by other means what they would; or name them in `detection.rules_left_out`, which says that somebody does",
        )
        .because_of(&["region"]);
}

/// A misspelt rule would stay in the pack, which then cannot be made.
pub fn check(config: &EnvConfig, problems: &mut Problems) {
    check_region(config, problems);
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

#[cfg(test)]
mod tests {
    use crate::check::parse;
    use std::path::Path;

    fn warnings(more: &str) -> String {
        let text = format!(
            "organization = \"acme\"\nproject = \"reconcile\"\naccount_id = \"111122223333\"\ndomain = \"reconcile.example.com\"\n\
             network.cidr = \"10.30.0.0/16\"\nservice.contract = \"txn-reconcile-api\"\n\
             alarms.page = [\"oncall@example.com\"]\n{more}"
        );
        parse(Path::new("prod.toml"), &text)
            .map_or_else(|report| report.to_string(), |(_, warnings)| warnings.to_string())
    }

    #[test]
    fn rules_that_the_region_lacks_are_named() {
        let said = warnings("region = \"ap-southeast-3\"\n");
        assert!(
            said.contains("rules of the conformance pack in ap-southeast-3")
                && said.contains("wafv2-webacl-not-empty"),
            "{said}"
        );
        assert!(!warnings("region = \"eu-central-1\"\n").contains("conformance"));
        assert!(
            !warnings("region = \"ap-southeast-3\"\ndetection.conformance_pack = false\n")
                .contains("rules of the")
        );
        let said = warnings("region = \"eu-south-9\"\nnetwork.availability_zones = [\"a\", \"b\"]\n");
        assert!(said.contains("so there is no conformance pack"), "{said}");
    }
}
