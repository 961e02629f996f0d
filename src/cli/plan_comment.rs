//! `txnr plan-comment`: a plan as a comment on a pull request.

use super::Failure;
use super::output::data;
use crate::config::EnvName;
use crate::exit;
use crate::plan::{NoPlan, Plan};
use clap::Args;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Prints a plan as a comment for a pull request
///
/// The comment begins with a marker, by which the pipeline finds it and brings it up to date, and is shorter than GitHub
/// allows, whatever the plan's length: of a plan that is too long it shows what changes, and then as much as there is
/// room for. It is made from the plan's JSON; of a plan that failed it says so.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PlanComment {
    /// The environment
    #[arg(long = "env", value_name = "NAME")]
    name: EnvName,

    /// What `terraform show -json` printed of the plan; `-` is standard input
    #[arg(default_value = "-", value_hint = clap::ValueHint::FilePath)]
    plan: PathBuf,

    /// What `terraform show -no-color` printed of the same plan: it is shown as a whole, as far as there is room
    #[arg(long, value_name = "FILE", conflicts_with = "failed", value_hint = clap::ValueHint::FilePath)]
    text: Option<PathBuf>,

    /// There is no plan: what Terraform said when it failed
    #[arg(long, value_name = "FILE", conflicts_with = "plan", value_hint = clap::ValueHint::FilePath)]
    failed: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  terraform -chdir=out/dev show -json saved.plan | txnr plan-comment --env dev > comment.md
  txnr plan-comment --env dev --text plan.txt plan.json > comment.md
  txnr plan-comment --env dev --failed plan.log > comment.md";

/// GitHub refuses a comment of more than 65,536 characters. In bytes the limit holds however GitHub counts; a part is
/// left for what GitHub adds.
const BYTES_MAX: usize = 65_000;
/// How much of it the list of changes may take.
const CHANGES_MAX: usize = 20_000;

impl PlanComment {
    pub(super) fn run(self) -> Result<(), Failure> {
        let name = self.name.as_str();
        let comment = match &self.failed {
            Some(log) => failure(name, &read_prose(log)?),
            None => {
                let text = self.text.as_deref().map(read_prose).transpose()?;
                comment(name, &read_plan(&self.plan)?, text.as_deref().unwrap_or_default())
            }
        };
        Ok(data(comment.as_bytes())?)
    }
}

/// A file, or standard input.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    fs::read(path).map_err(|error| {
        Failure::new(exit::CANNOT_READ, format!("cannot read {}: {error}", path.display()), "")
    })
}

/// The plan that a file holds.
pub(super) fn read_plan(path: &Path) -> Result<Plan, Failure> {
    Plan::read(&String::from_utf8_lossy(&read(path)?)).map_err(|error| {
        let help = match error {
            NoPlan::Errored => "mend what Terraform complained of, and plan again",
            _ => "what `terraform show -json` prints of a saved plan",
        };
        Failure::new(exit::CANNOT_READ, format!("{}: {error}", path.display()), help)
    })
}

/// What Terraform said to people, without colours.
fn read_prose(path: &Path) -> Result<String, Failure> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    let what = if text.contains('\u{1b}') {
        "the text is coloured, which Markdown does not show"
    } else if text.trim().is_empty() {
        "what was given is empty"
    } else {
        return Ok(text);
    };
    Err(Failure::new(
        exit::CANNOT_READ,
        format!("{}: {what}", path.display()),
        "what Terraform prints with `-no-color`",
    ))
}

/// How every comment begins: with the marker by which it is found again.
fn head(environment: &str) -> String {
    format!("<!-- txnr plan: {environment} -->\n### Plan of `{environment}`\n\n")
}

/// The comment on a plan.
fn comment(environment: &str, plan: &Plan, text: &str) -> String {
    let mut comment = head(environment);
    comment.push_str(&summary(plan));
    let changes = changes(plan);
    if !changes.is_empty() {
        let fence = fence(&changes);
        comment.push_str(&format!("\n{fence}text\n{}{fence}\n", shorten(&changes, CHANGES_MAX)));
    }
    if !text.is_empty() {
        comment.push_str(&folded("The whole plan", text, comment.len()));
    }
    comment
}

/// The comment on a plan that failed.
fn failure(environment: &str, log: &str) -> String {
    let mut comment = head(environment);
    comment.push_str("**There is no plan:** Terraform failed.\n");
    comment.push_str(&folded("What it said", log, comment.len()));
    comment
}

/// A text to be opened, in the room that is left beside so many bytes.
fn folded(title: &str, text: &str, bytes: usize) -> String {
    let fence = fence(text);
    let head = format!("\n<details><summary>{title}</summary>\n\n{fence}text\n");
    let tail = format!("{fence}\n\n</details>\n");
    let room = BYTES_MAX.saturating_sub(bytes + head.len() + tail.len());
    head + &shorten(text.trim_matches('\n'), room) + &tail
}

/// What Terraform says at the end of a plan.
fn summary(plan: &Plan) -> String {
    let mut counts = [0; 3];
    for resource in plan.changes() {
        for (sum, count) in counts.iter_mut().zip(resource.change.counts()) {
            *sum += count;
        }
    }
    let [add, change, destroy] = counts;
    if plan.changes().next().is_some() {
        format!("Plan: {add} to add, {change} to change, {destroy} to destroy.\n")
    } else if plan.changes_outputs() {
        "Only outputs change.\n".to_owned()
    } else {
        "No changes.\n".to_owned()
    }
}

/// What changes, a line each: first what is lost, so that no length of the rest hides it.
fn changes(plan: &Plan) -> String {
    let (lost, kept): (Vec<_>, Vec<_>) = plan.changes().partition(|resource| resource.change.loses());
    lost.iter().chain(&kept).map(|resource| format!("{resource}\n")).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn plan(changes: &[(String, &[&str])]) -> Plan {
        let changes: Vec<Value> = changes
            .iter()
            .map(|(address, actions)| json!({"address": address, "change": {"actions": actions}}))
            .collect();
        let plan = json!({"format_version": "1.2", "planned_values": {}, "resource_changes": changes});
        Plan::read(&plan.to_string()).expect("a plan")
    }

    #[test]
    fn a_comment_begins_with_its_marker_and_says_what_changes() {
        let plan = plan(&[
            ("aws_vpc.main".to_owned(), &["create"]),
            ("aws_lb.main".to_owned(), &["delete", "create"]),
            ("aws_lb.other".to_owned(), &["no-op"]),
        ]);
        let comment = comment("dev", &plan, "");
        assert_eq!(
            comment,
            "<!-- txnr plan: dev -->\n### Plan of `dev`\n\nPlan: 2 to add, 0 to change, 1 to destroy.\n\n\
             ```text\naws_lb.main must be replaced\naws_vpc.main will be created\n```\n"
        );
    }

    #[test]
    fn what_changes_nothing_says_so() {
        assert!(comment("dev", &plan(&[]), "").ends_with("\nNo changes.\n"));
        let outputs = r#"{"format_version": "1.2", "planned_values": {}, "output_changes": {"url": {"actions": ["update"]}}}"#;
        let plan = Plan::read(outputs).expect("a plan");
        assert!(comment("dev", &plan, "").ends_with("\nOnly outputs change.\n"));
    }

    #[test]
    fn a_plan_of_any_length_fits() {
        let many: Vec<(String, &[&str])> =
            (0..20_000).map(|n| (format!("aws_ecs_service.s{n}"), &["update"][..])).collect();
        let long: String = (0..20_000).map(|n| format!("  ~ tags = \"ümläut {n}\"\n")).collect();
        for text in [long.clone(), "é".repeat(300_000), format!("{long}{}", "`".repeat(70_000))] {
            for comment in [comment("prod", &plan(&many), &text), failure("prod", &text)] {
                assert!(comment.len() <= BYTES_MAX, "{}", comment.len());
                assert!(comment.contains("the rest is in the artifact") && comment.ends_with("</details>\n"));
            }
        }
    }

    #[test]
    fn what_is_lost_is_shown_however_long_the_rest_is() {
        let mut all: Vec<(String, &[&str])> =
            (0..9_000).map(|n| (format!("aws_sqs_queue.q{n}"), &["create"][..])).collect();
        all.push(("aws_db_instance.main".to_owned(), &["delete", "create"]));
        all.push(("aws_s3_bucket.a".to_owned(), &["delete"]));
        let comment = comment("dev", &plan(&all), "");
        let [first, second] = [
            "aws_db_instance.main must be replaced\naws_s3_bucket.a will be destroyed\n",
            "aws_sqs_queue.q0 ",
        ]
        .map(|text| comment.find(text).expect("shown"));
        assert!(first < second);
    }

    #[test]
    fn fences_in_a_plan_do_not_end_the_comments_own() {
        let comment = comment("dev", &plan(&[]), "  + value = <<-EOT\n```\n</details>\n````\nEOT\n");
        let fences: Vec<_> = comment.lines().filter(|line| line.starts_with("`````")).collect();
        assert_eq!(fences.len(), 2, "{comment}");
    }
}
