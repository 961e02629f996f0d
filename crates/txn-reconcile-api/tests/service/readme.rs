//! The session in the README, run as it stands there: with bash, curl, jq and openssl against the real binary.

use std::process::Command;

use super::launch::Launched;

const README: &str = include_str!("../../README.md");

/// Between the outputs of two commands.
const NEXT: &str = "\u{1e}";

/// The commands of a session and what each prints.
fn session(text: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command.to_owned(), String::new()));
        } else if let Some((command, printed)) = commands.last_mut() {
            let to = if open { command } else { printed };
            to.push('\n');
            to.push_str(line);
        }
        open = line.ends_with('\\') && (open || line.starts_with("$ "));
    }
    commands
}

#[test]
fn a_break_is_resolved_as_the_readme_says() {
    let (_, text) = README.split_once("From upload to resolved break:\n\n```text\n").expect("the session");
    let (text, _) = text.split_once("```").expect("its end");
    let service = Launched::new(&[], &[]);
    let second = service.second();
    let commands = session(text);
    let mut script = "set -euo pipefail\n".to_owned();
    for (command, _) in &commands {
        script.push_str(&format!("{command}\nprintf '{NEXT}'\n"));
        if command.starts_with("RUN=") {
            // A reader is slower than a run.
            script.push_str("for _ in {1..200}; do call http://127.0.0.1:8080/v1/runs/$RUN | grep -q completed && break; sleep 0.1; done\n");
        }
    }
    let script = script.replace("127.0.0.1:8080", &service.address.to_string());
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .env("TOKEN", &service.token)
        .env("TOKEN2", second)
        .output()
        .expect("bash");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "bash, curl, jq and openssl are needed\n{errors}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed: Vec<&str> = printed.split_terminator(NEXT).collect();
    assert_eq!(printed.len(), commands.len());
    let mut compared = 0;
    for ((command, expected), printed) in commands.iter().zip(printed) {
        assert_eq!(printed.trim(), expected.trim(), "{command}");
        compared += usize::from(!expected.trim().is_empty());
    }
    assert!(compared >= 6, "{compared} outputs were compared");
}
