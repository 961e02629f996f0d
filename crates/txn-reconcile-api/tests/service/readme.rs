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

/// The session that follows a text.
fn block(before: &str) -> &'static str {
    let (_, text) = README.split_once(before).expect("the session");
    text.split_once("```").expect("its end").0
}

#[test]
fn a_break_is_resolved_and_proved_as_the_readme_says() {
    let mut commands = session(block("From upload to resolved break:\n\n```text\n"));
    commands.extend(session(block("needs neither the service nor a\nkey of it:\n\n```text\n")));
    let service = Launched::new(&[], &[]);
    let second = service.second();
    let mut script = "set -u\n".to_owned();
    for (command, _) in &commands {
        script.push_str(&format!("{command}\nprintf '{NEXT}'\n"));
    }
    let scratch = tempfile::tempdir().unwrap();
    let script = script
        .replace("127.0.0.1:8080", &service.address.to_string())
        .replace("/tmp", &scratch.path().display().to_string())
        .replace("../../../data", &service.data().display().to_string());
    let own = std::path::Path::new(env!("CARGO_BIN_EXE_txn-reconcile-api")).parent().unwrap();
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .env("PATH", format!("{}:{}", own.display(), std::env::var("PATH").unwrap_or_default()))
        .env("TOKEN", &service.token)
        .env("TOKEN2", second)
        .output()
        .expect("bash");
    let errors = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed: Vec<&str> = printed.split_terminator(NEXT).collect();
    assert_eq!(printed.len(), commands.len(), "bash, curl, jq and openssl are needed\n{errors}");
    let mut compared = 0;
    for ((command, expected), printed) in commands.iter().zip(printed) {
        assert_eq!(printed.trim(), expected.trim(), "{command}\n{errors}");
        compared += usize::from(!expected.trim().is_empty());
    }
    assert!(compared >= 10, "{compared} outputs were compared");
}
