//! Whatever a file holds, loading it ends with an environment or an explanation.

use crate::environments::valid;
use proptest::prelude::*;
use std::path::Path;
use txnr::check::parse;

const PROD: &str = include_str!("../../envs/prod.toml");
const DEV: &str = include_str!("../../envs/dev.toml");

proptest! {
    #[test]
    fn a_valid_file_loads(text in valid()) {
        let loaded = parse(Path::new("prod.toml"), &text);
        prop_assert!(loaded.is_ok(), "{}\n{text}", loaded.err().map(|report| report.to_string()).unwrap_or_default());
    }

    #[test]
    fn subnets_lie_in_the_vpc_and_share_no_address(text in valid()) {
        let (config, _) = parse(Path::new("prod.toml"), &text).expect("a valid file");
        let Some(vpc) = config.network.own() else { return Ok(()) };
        let subnets = vpc.subnets.clone();
        let all: Vec<_> = [subnets.public, subnets.private, subnets.data].concat();
        prop_assert_eq!(all.len(), 3 * config.network.availability_zones.len());
        for (at, subnet) in all.iter().enumerate() {
            prop_assert!(vpc.cidr.contains(subnet.cidr));
            prop_assert!((16..=28).contains(&subnet.cidr.prefix_len()));
            prop_assert!(all.iter().skip(at + 1).all(|other| !other.cidr.overlaps(subnet.cidr)));
        }
    }

    #[test]
    fn a_damaged_file_is_explained(
        text in prop::sample::select(vec![PROD, DEV]),
        cuts in prop::collection::vec((0_usize..2000, 0_usize..20, "[ -~\\n\u{e4}\u{1f980}]{0,6}"), 1..5),
    ) {
        let mut damaged: Vec<char> = text.chars().collect();
        for (at, length, with) in cuts {
            let at = at % damaged.len();
            let end = (at + length).min(damaged.len());
            damaged.splice(at..end, with.chars());
        }
        let damaged: String = damaged.into_iter().collect();
        if let Err(report) = parse(Path::new("prod.toml"), &damaged) {
            prop_assert!(report.has_errors());
            prop_assert!(!report.to_string().is_empty());
        }
    }

    #[test]
    fn any_text_at_all_is_explained(text in "(?s).{0,200}") {
        prop_assert!(parse(Path::new("prod.toml"), &text).is_err_and(|report| report.has_errors()));
    }

    /// Values of a wrong type or out of range, anywhere in a right file.
    #[test]
    fn a_wrong_value_anywhere_is_explained(
        line in 0_usize..40,
        value in prop::sample::select(vec!["-1", "0", "1.5", "true", "\"\"", "[]", "{}", "[[1]]", "99999999999", "1979-05-27", "\"${x}\"", "{ a = 1 }", "[\"x\", 2]"]),
    ) {
        let mut lines: Vec<String> = DEV.lines().map(str::to_owned).collect();
        let keyed: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains(" = ")).collect();
        let at = keyed[line % keyed.len()];
        let key = lines[at].split(" = ").next().unwrap_or_default().to_owned();
        lines[at] = format!("{key} = {value}");
        if let Err(report) = parse(Path::new("dev.toml"), &lines.join("\n")) {
            prop_assert!(report.has_errors());
            prop_assert!(report.diagnostics().iter().any(|d| d.place.line.is_some()), "{report}");
        }
    }
}
