//! A session in a running container: ECS Exec.

use super::call::{Call, quoted};
use super::status;
use crate::config::{EnvConfig, Workload};
use crate::names::cluster;

/// The key of the environment file that lets sessions into a service.
#[must_use]
pub fn key(workload: Workload<'_>) -> String {
    workload.name().map_or_else(|| "service.exec".to_owned(), |name| format!("services.{name}.exec"))
}

/// Opens one in a task. Words of a command are quoted, which the agent in the container reads as a shell does.
#[must_use]
pub fn open(config: &EnvConfig, workload: Workload<'_>, task: &str, command: &[String]) -> Call {
    let command = match command {
        [whole] => whole.clone(),
        words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    };
    Call::new(&config.region, ["ecs", "execute-command"])
        .with("--cluster", &cluster::name(config))
        .with("--task", task)
        .with("--container", workload.service.name.as_str())
        .flag("--interactive")
        .with("--command", &command)
}

/// The id of a task in its ARN.
#[must_use]
pub fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Both calls as lines of a shell, the first for the task where none is named.
#[must_use]
pub fn script(config: &EnvConfig, workload: Workload<'_>, task: Option<&str>, command: &[String]) -> String {
    match task {
        Some(task) => format!("{}\n", open(config, workload, task, command)),
        None => {
            let first =
                status::running(config, workload).with("--query", "taskArns[0]").with("--output", "text");
            let line = open(config, workload, "\"$task\"", command).to_string();
            format!("task=$({first})\n{}\n", line.replacen("'\"$task\"'", "\"$task\"", 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_keeps_its_words() {
        let config = EnvConfig::for_test("production = false\nservice.exec = true");
        let words = |command: &[&str]| {
            let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
            open(&config, config.main_service(), "0", &command).words().last().cloned().expect("a command")
        };
        assert_eq!(words(&["/bin/sh -c 'ls /'"]), "/bin/sh -c 'ls /'");
        assert_eq!(words(&["/bin/sh", "-c", "echo it's"]), "/bin/sh -c 'echo it'\\''s'");
    }

    #[test]
    fn the_printed_lines_take_the_first_task_where_none_is_named() {
        let config = EnvConfig::for_test("production = false\nservice.exec = true");
        let script = script(&config, config.main_service(), None, &["sh".to_owned()]);
        assert!(script.starts_with("task=$(aws ecs list-tasks --region us-east-1 "), "{script}");
        assert!(
            script.contains(" --task \"$task\" --container txn-reconcile-api --interactive --command sh\n"),
            "{script}"
        );
    }
}
