//! Standard output and standard error: data, words, colours, and readers who leave.

use crate::project::Project;
use std::fs::File;
use std::process::Stdio;

#[test]
fn a_reader_who_leaves_early_is_no_failure() {
    for arguments in
        ["schema", "schema --markdown", "envs", "man", "completions bash", "synth --all --stdout"]
    {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = Project::new().command(arguments).stdout(writer).output().expect("the command runs");
        assert_eq!(output.status.code(), Some(0), "{arguments}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments}");
    }
}

#[test]
fn a_full_standard_output_is_a_failure() {
    let full = File::options().write(true).open("/dev/full").expect("a device that is always full");
    let output = Project::new().command("schema").stdout(full).output().expect("the command runs");
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot write to standard output"));
}

#[test]
fn a_closed_standard_error_is_no_failure() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let project = Project::new();
    let status = project
        .command("synth --all")
        .stderr(writer)
        .stdout(Stdio::null())
        .status()
        .expect("the command runs");
    assert_eq!(status.code(), Some(0));
    project.succeed("synth --all --check");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_insist() {
    let project = Project::new();
    project.edit("envs/prod.toml", "acme", "ACME");
    let said = |variables: &[(&str, &str)]| {
        let mut command = project.command("synth --all");
        command.envs(variables.iter().copied());
        String::from_utf8(command.output().expect("the command runs").stderr).expect("text")
    };
    assert!(!said(&[]).contains('\u{1b}'));
    assert!(!said(&[("NO_COLOR", "1")]).contains('\u{1b}'));
    assert!(said(&[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
}
