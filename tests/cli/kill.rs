//! A run that is killed at a moment of nobody's choosing.

use crate::project::{Project, Tree};
use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

/// What Terraform would read: the files of the folder itself, through links, without modules that hold nothing.
fn seen(project: &Project) -> Tree {
    let names =
        fs::read_dir(project.path("out/prod")).expect("a folder").map(|entry| entry.expect("an entry"));
    let names = names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".tf.json"));
    let files = names.map(|name| (name.clone(), project.read(&format!("out/prod/{name}"))));
    files.filter(|(_, text)| !text.contains("\"//\": \"txnr:")).collect()
}

#[test]
fn a_killed_run_leaves_the_old_output_or_the_new() {
    let project = Project::new();
    let versions = ["organization = \"acme\"", "organization = \"umbrella\""];
    let turn = |from: usize| {
        project.edit("envs/prod.toml", versions[from], versions[1 - from]);
        project.edit(
            "envs/prod.toml",
            ["10.30.0.0/16", "10.31.0.0/16"][from],
            ["10.30.0.0/16", "10.31.0.0/16"][1 - from],
        );
    };
    let mut expected = Vec::new();
    for from in 0..2 {
        project.succeed("synth --env prod");
        expected.push(seen(&project));
        turn(from);
    }
    let mut killed = 0;
    for round in 0..120 {
        let mut child =
            project.command("synth --env prod").stderr(Stdio::null()).spawn().expect("the command runs");
        sleep(Duration::from_micros(100 * (round % 60)));
        child.kill().expect("it is killed, or has ended");
        killed += usize::from(child.wait().expect("its end").code().is_none());
        let now = seen(&project);
        assert!(expected.contains(&now), "round {round}: {:?}", now.keys());
        turn((round % 2) as usize);
    }
    assert!(killed > 5, "only {killed} runs were killed in time");
    project.succeed("synth --env prod");
    project.succeed("synth --env prod --check");
    assert_eq!(
        project.tree("out/prod").len(),
        seen(&project).len() + 1,
        "nothing but the manifest is left besides"
    );
}
