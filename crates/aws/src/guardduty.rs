//! GuardDuty's agent in tasks on Fargate.

/// `region,account`, with its source.
const AGENTS: &str = include_str!("../schema/guardduty-agents.csv");

/// The account of AWS whose registry holds the agent for a region; none where AWS names none.
#[must_use]
pub fn agent_account(region: &str) -> Option<&'static str> {
    let lines = AGENTS.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.filter_map(|line| line.split_once(',')).find(|(of, _)| *of == region).map(|(_, account)| account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_is_a_number_of_twelve_digits_and_every_region_has_one() {
        let lines: Vec<(&str, &str)> = AGENTS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .skip(1)
            .filter_map(|line| line.split_once(','))
            .collect();
        assert!(lines.len() > 30, "{} regions", lines.len());
        for (region, account) in &lines {
            assert!(account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()), "{region}");
            assert_eq!(agent_account(region), Some(*account), "{region} stands there twice");
        }
        assert_eq!(agent_account("us-east-1"), Some("593207742271"));
        assert_eq!(agent_account("cn-north-1"), None);
        assert_eq!(agent_account("region"), None, "the head of the table is no region");
    }
}
