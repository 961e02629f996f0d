//! `txnr plan-comment`: a plan as a comment on a pull request.

use super::Failure;
use super::output::data;
use crate::config::EnvName;
use crate::exit;
use clap::Args;
use std::io::Read;
use std::path::PathBuf;
use std::{fs, io};

/// Prints a plan as a comment for a pull request
///
/// The comment begins with a marker, by which the pipeline finds it and brings it up to date, and is shorter than GitHub
/// allows, whatever the plan's length: of a plan that is too long it shows what changes, and then as much as there is
/// room for.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PlanComment {
    /// The environment
    #[arg(long = "env", value_name = "NAME")]
    name: EnvName,

    /// What `terraform show -no-color` printed of the plan; standard input unless it is given
    plan: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  terraform -chdir=out/dev show -no-color saved.plan | txnr plan-comment --env dev > comment.md";

/// GitHub refuses a comment of more than 65,536 characters. In bytes the limit holds however GitHub counts; a part is
/// left for what GitHub adds.
const BYTES_MAX: usize = 65_000;
/// How much of it the list of changes may take.
const CHANGES_MAX: usize = 20_000;

impl PlanComment {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut plan = Vec::new();
        match &self.plan {
            Some(path) => {
                plan = fs::read(path).map_err(|error| {
                    Failure::new(exit::CANNOT_READ, format!("cannot read {}: {error}", path.display()), "")
                })?;
            }
            None => {
                io::stdin().read_to_end(&mut plan)?;
            }
        }
        if plan.iter().all(u8::is_ascii_whitespace) {
            let what = format!("there is no plan of `{}`: what was given is empty", self.name);
            return Err(Failure::new(
                exit::CANNOT_READ,
                what,
                "what `terraform show -no-color` prints of the saved plan",
            ));
        }
        Ok(data(comment(self.name.as_str(), &String::from_utf8_lossy(&plan)).as_bytes())?)
    }
}

/// The comment on a plan.
fn comment(environment: &str, plan: &str) -> String {
    let summary = plan
        .lines()
        .find(|line| line.starts_with("Plan: ") || line.starts_with("No changes."))
        .unwrap_or("Only outputs change.");
    let changes = changes(plan);
    let fence = fence(plan);
    let mut comment =
        format!("<!-- txnr plan: {environment} -->\n### Plan of `{environment}`\n\n{}\n", escape(summary));
    if !changes.is_empty() {
        comment.push_str(&format!("\n{fence}text\n{}{fence}\n", shorten(&changes, CHANGES_MAX)));
    }
    if !plan.trim().is_empty() {
        let (head, tail) = (
            format!("\n<details><summary>The whole plan</summary>\n\n{fence}text\n"),
            format!("{fence}\n\n</details>\n"),
        );
        let room = BYTES_MAX.saturating_sub(comment.len() + head.len() + tail.len());
        comment.push_str(&head);
        comment.push_str(&shorten(plan.trim_matches('\n'), room));
        comment.push_str(&tail);
    }
    comment
}

/// What changes, a line each: first what is lost, so that no length of the rest hides it.
fn changes(plan: &str) -> String {
    let lines = plan.lines().filter(|line| line.starts_with("  # ") && !line.starts_with("  # ("));
    let lost = |line: &&str| line.contains("destroyed") || line.contains("replaced");
    let (lost, kept): (Vec<&str>, Vec<&str>) = lines.partition(lost);
    lost.iter().chain(&kept).map(|line| format!("{}\n", line.trim_start_matches("  # "))).collect()
}

/// A fence that nothing in the text closes: one backtick longer than the longest run of them.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.clamp(2, 200) + 1)
}

/// As many whole lines as fit, and a word about the rest. Always ends with a line's end.
fn shorten(text: &str, bytes_max: usize) -> String {
    const REST: &str = "… the rest is in the artifact of the run\n";
    if text.len() < bytes_max {
        return format!("{}\n", text.trim_end_matches('\n'));
    }
    let mut shown = String::new();
    for line in text.lines() {
        if shown.len() + line.len() + 1 + REST.len() > bytes_max {
            break;
        }
        shown.push_str(line);
        shown.push('\n');
    }
    shown + REST
}

/// Text that Markdown shows as it is.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('@', "&#64;").replace('`', "&#96;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "Terraform will perform the following actions:\n\n  # aws_vpc.main will be created\n  + resource \"aws_vpc\" \"main\" {\n    }\n\nPlan: 1 to add, 0 to change, 0 to destroy.\n";

    #[test]
    fn a_comment_begins_with_its_marker_and_says_what_changes() {
        let comment = comment("dev", SMALL);
        assert!(comment.starts_with("<!-- txnr plan: dev -->\n"));
        assert!(comment.contains("Plan: 1 to add, 0 to change, 0 to destroy."));
        assert!(comment.contains("\naws_vpc.main will be created\n"));
    }

    #[test]
    fn a_plan_of_any_length_fits() {
        let long: String = (0..20_000)
            .map(|n| {
                format!("  # aws_ecs_service.s{n} will be updated in-place\n  ~ tags = \"ümläut {n}\"\n")
            })
            .collect();
        for plan in [long.clone(), "é".repeat(300_000), format!("{long}{}", "`".repeat(70_000))] {
            let comment = comment("prod", &plan);
            assert!(comment.len() <= BYTES_MAX, "{}", comment.len());
            assert!(comment.contains("the rest is in the artifact") && comment.ends_with("</details>\n"));
        }
    }

    #[test]
    fn what_is_lost_is_shown_however_long_the_rest_is() {
        let many: String = (0..9_000).map(|n| format!("  # aws_sqs_queue.q{n} will be created\n")).collect();
        let plan = format!(
            "{many}  # aws_db_instance.main must be replaced\n  # aws_s3_bucket.a will be destroyed\n"
        );
        let comment = comment("dev", &plan);
        let [first, second] = [
            "aws_db_instance.main must be replaced\naws_s3_bucket.a will be destroyed\n",
            "aws_sqs_queue.q0 ",
        ]
        .map(|text| comment.find(text).expect("shown"));
        assert!(first < second);
    }

    #[test]
    fn fences_in_a_plan_do_not_end_the_comments_own() {
        let plan = format!("{SMALL}  + value = <<-EOT\n```\n</details>\n````\nEOT\n");
        let comment = comment("dev", &plan);
        let fences: Vec<_> = comment.lines().filter(|line| line.starts_with("`````")).collect();
        assert_eq!(fences.len(), 4, "{comment}");
    }
}
