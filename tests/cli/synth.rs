//! `txnr synth` and `txnr envs`: what is written, what is refused, and what is said.

use crate::project::{DEV, PROD, Project};
use insta::assert_snapshot;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// The number of files is the stacks' affair.
fn without_counts(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match (line.split_once(": "), line.split_once(" files in ")) {
            (Some((name, _)), Some((_, rest))) => {
                let (folder, changed) = rest.split_once(", ").expect("folder and changes");
                let changed = if changed.trim() == "unchanged" { "unchanged" } else { "some changed" };
                format!("{name}: all files in {folder}, {changed}\n")
            }
            _ => line.to_owned(),
        })
        .collect()
}

#[test]
fn every_environment_is_written_and_then_up_to_date() {
    let project = Project::new();
    assert_snapshot!(without_counts(&project.run("synth --all")), @r"
    $ txnr synth --all
    exit code: 0
    --- stdout
    --- stderr
    dev: all files in out/dev, some changed
    prod: all files in out/prod, some changed
    ");
    assert_snapshot!(project.run("synth --all --check"), @r"
    $ txnr synth --all --check
    exit code: 0
    --- stdout
    --- stderr
    ");
    assert_snapshot!(without_counts(&project.run("synth --env prod")), @r"
    $ txnr synth --env prod
    exit code: 0
    --- stdout
    --- stderr
    prod: all files in out/prod, unchanged
    ");
}

#[test]
fn what_is_printed_is_what_is_written() {
    let project = Project::new();
    project.succeed("synth --all --out elsewhere");
    let printed: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&project.succeed("synth --all --stdout")).expect("one JSON object");
    let mut written = project.tree("elsewhere");
    written.retain(|name, _| name.ends_with(".tf.json"));
    assert!(!project.path("out").exists());
    assert_eq!(printed.len(), written.len());
    for (name, text) in written {
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).ok().as_ref(),
            printed.get(&name),
            "{name}"
        );
    }
}

#[test]
fn a_check_names_each_file_and_how_it_differs() {
    let project = Project::new();
    project.succeed("synth --env prod");
    let mut files: Vec<String> =
        project.tree("out/prod").into_keys().filter(|n| n.ends_with(".tf.json")).collect();
    let (changed, missing) = (files.remove(0), files.remove(0));
    let path = |name: &str| project.path(&format!("out/prod/{name}"));
    fs::write(path(&changed), "{}\n").expect("a file");
    fs::remove_file(path(&missing)).expect("a file");
    let manifest = "out/prod/.txnr-manifest.json";
    project.edit(manifest, "\"files\": [", "\"files\": [ \"zz_old.tf.json\",");
    project.write("out/prod/zz_old.tf.json", "{}");

    let output =
        project.run("synth --env prod --check").replace(&changed, "CHANGED").replace(&missing, "MISSING");
    let (head, tail) = output.split_once("lines, would be ").expect("the number of lines");
    let tail = tail.trim_start_matches(|c: char| c.is_ascii_digit());
    assert_snapshot!(format!("{head}lines, would be N{tail}"), @r"
    $ txnr synth --env prod --check
    exit code: 4
    --- stdout
    --- stderr
    out/prod/CHANGED: differs from line 1 on (1 lines, would be N)
    out/prod/MISSING: missing
    out/prod/zz_old.tf.json: left over: no stack produces it any more
    error: 3 files are not what `txnr synth` would write
      help: run `txnr synth` with the same arguments, without `--check`
    ");
    project.succeed("synth --env prod");
    project.succeed("synth --env prod --check");
    assert!(!path("zz_old.tf.json").exists());
}

/// It may be all that is left to destroy the environment with.
#[test]
fn the_output_of_an_environment_that_is_gone_is_named_and_stays() {
    let project = Project::new();
    project.succeed("synth --all");
    project.write("out/notes/ours", "not txnr's");
    fs::remove_file(project.path("envs/dev.toml")).expect("a file");
    let before = project.tree("out");
    assert_snapshot!(without_counts(&project.run("synth --all")), @r"
    $ txnr synth --all
    exit code: 0
    --- stdout
    --- stderr
    prod: all files in out/prod, unchanged
    dev: out/dev is left over, for there is no envs/dev.toml; remove it when what it describes is destroyed
    ");
    assert_snapshot!(project.run("synth --all --check"), @r"
    $ txnr synth --all --check
    exit code: 0
    --- stdout
    --- stderr
    dev: out/dev is left over, for there is no envs/dev.toml; remove it when what it describes is destroyed
    ");
    assert!(!project.run("synth --env prod").contains("left over"));
    assert_eq!(project.tree("out"), before);
}

#[test]
fn a_check_of_what_was_never_written_fails() {
    assert!(Project::new().run("synth --all --check").contains("exit code: 4"));
}

#[test]
fn the_files_of_others_are_never_touched() {
    let project = Project::new();
    project.succeed("synth --env prod");
    let others = [
        ".terraform/modules.json",
        ".terraform.lock.hcl",
        "my_override.tf.json",
        "terraform.tfstate",
        "notes",
    ];
    for name in others {
        project.write(&format!("out/prod/{name}"), "theirs");
    }
    project.edit("envs/prod.toml", "10.30.0.0/16", "10.31.0.0/16");
    project.edit("envs/prod.toml", "acme", "umbrella");
    project.succeed("synth --env prod");
    for name in others {
        assert_eq!(project.read(&format!("out/prod/{name}")), "theirs", "{name}");
    }
}

#[test]
fn a_file_in_the_way_is_refused_until_forced() {
    let project = Project::new();
    project.succeed("synth --env prod");
    let first = project.tree("out/prod").into_keys().find(|name| name.ends_with(".tf.json")).expect("a file");
    fs::remove_file(project.path("out/prod/.txnr-manifest.json")).expect("a file");
    project.write(&format!("out/prod/{first}"), "mine");
    let before = project.tree("out");
    assert_snapshot!(project.run("synth --env prod").replace(&first, "FIRST"), @r"
    $ txnr synth --env prod
    exit code: 5
    --- stdout
    --- stderr
    error: out/prod/FIRST is in the way: txnr did not write it (it is not in the manifest)
      help: rename it (Terraform merges files whose names end in `_override.tf.json`), or overwrite it with `--force`
    ");
    assert_eq!(project.tree("out"), before);
    project.succeed("synth --env prod --force");
    project.succeed("synth --env prod --check");
}

#[test]
fn mistakes_in_environment_files_are_all_reported_and_nothing_is_written() {
    let project = Project::new();
    project.edit("envs/dev.toml", "cpu = 256", "cpu = 300");
    project.edit("envs/dev.toml", "owner", "ower");
    project.edit("envs/prod.toml", "333344445555", "3333-4444-5555");
    assert_snapshot!(project.run("synth --all"));
    assert!(!project.path("out").exists());
}

#[test]
fn a_broken_file_does_not_stop_the_others() {
    let project = Project::new();
    project.write("envs/dev.toml", "no toml");
    project.succeed("synth --env prod");
    assert!(project.run("synth --all").contains("exit code: 3"));
}

#[test]
fn two_environments_cannot_own_one_account_even_if_only_one_is_synthesized() {
    let project = Project::new();
    project.edit("envs/dev.toml", "111122223333", "333344445555");
    project.edit("envs/dev.toml", "[service]", "[service]\nname = \"txn-reconcile-api-dev\"");
    assert_snapshot!(project.run("synth --env dev"), @r#"
    $ txnr synth --env dev
    exit code: 3
    --- stdout
    --- stderr
    error: account_id: the environment `prod` owns the singletons of the same account as well
     --> envs/dev.toml:6:14
      |
    6 | account_id = "************"
      |              ^^^^^^^^^^^^^^
      help: `baseline = false` under [account] in all environments of an account but one

    error: account_id: the environment `prod`, where real cardholder data is handled, stands in the same account (PCI DSS 6.5.3)
     --> envs/dev.toml:6:14
      |
    6 | account_id = "************"
      |              ^^^^^^^^^^^^^^
      help: an account of its own for each kind, or in the file of `prod` a deviation from R070 until a day, under [[deviations]]

    error: 2 mistakes in the environment files; nothing was written
    "#);
    project.write("envs/dev.toml", &(project.read("envs/dev.toml") + "\n[account]\nbaseline = false\n"));
    let deviation = "\n[[deviations]]\ncontrol = \"R070\"\nowner = \"The platform team\"\nreason = \"Ordered\"\n\
                     compensating = \"Both are applied by the same people\"\napprover = \"The security officer\"\n\
                     expires = \"2031-03-31\"\n";
    project.write("envs/prod.toml", &(project.read("envs/prod.toml") + deviation));
    project.succeed("synth --all");
}

/// `a` in `b-c` and `a-b` in `c` have one name, and an image repository is called by the service alone.
#[test]
fn two_environments_of_one_account_have_names_of_their_own() {
    let project = Project::empty();
    let named = |name: &str| DEV.replacen("project = \"txn-reconcile\"", &format!("project = \"{name}\""), 1);
    project.write("envs/dev-x.toml", &named("txn"));
    let other = named("txn-dev").replace("10.10.0.0/16", "10.11.0.0/16").replace("dev.example", "x.example");
    project.write("envs/x.toml", &other.replace("[network]", "[account]\nbaseline = false\n\n[network]"));
    assert_snapshot!(project.run("synth --env x"));
    project.edit("envs/x.toml", "txn-dev", "transaction");
    project.edit("envs/x.toml", "[service]", "[service]\nname = \"txn-reconcile-api-x\"");
    project.succeed("synth --all");
}

#[test]
fn ranges_that_overlap_are_worth_a_warning() {
    let project = Project::new();
    project.edit("envs/dev.toml", "10.10.0.0/16", "10.30.128.0/17");
    assert_snapshot!(without_counts(&project.run("synth --all")));
}

#[test]
fn what_cannot_be_read_is_named() {
    let project = Project::new();
    assert_snapshot!(project.run("synth --env pord"), @r"
    $ txnr synth --env pord
    exit code: 2
    --- stdout
    --- stderr
    error: there is no environment `pord` in envs
      help: did you mean `prod`? there are dev, prod
    ");
    assert_snapshot!(project.run("envs --envs nowhere"), @r"
    $ txnr envs --envs nowhere
    exit code: 6
    --- stdout
    --- stderr
    error: cannot read nowhere: No such file or directory (os error 2)
      help: `--envs DIR` names the folder of the environment files
    ");
    fs::create_dir(project.path("none")).expect("a folder");
    assert_snapshot!(project.run("synth --all --envs none"), @r"
    $ txnr synth --all --envs none
    exit code: 6
    --- stdout
    --- stderr
    error: no environment files (*.toml) in none
      help: `--envs DIR` names the folder of the environment files
    ");
}

#[test]
fn an_environment_with_an_impossible_name_is_refused() {
    let project = Project::empty();
    project.write("envs/Production_EU.toml", PROD);
    assert_snapshot!(project.run("synth --all"), @r#"
    $ txnr synth --all
    exit code: 3
    --- stdout
    --- stderr
    error: the file's name is the environment's name, and "Production_EU" cannot be an environment's name
      --> envs/Production_EU.toml
      help: 1 to 20 lower-case letters, digits and single hyphens, starting with a letter

    error: 1 mistake in the environment files; nothing was written
    "#);
}

#[test]
fn output_that_cannot_be_written_is_explained_and_the_old_stays() {
    let project = Project::new();
    project.write("file", "");
    assert_snapshot!(project.run("synth --env dev --out file/out"), @r"
    $ txnr synth --env dev --out file/out
    exit code: 5
    --- stdout
    --- stderr
    error: cannot make the folder file/out: Not a directory (os error 20)
      help: the output is as it was before; `--out DIR` writes to another folder
    ");
}

/// A limit of 0 on the size of files stands for a disk that is full: every write fails.
#[test]
fn a_full_disk_leaves_the_old_output() {
    let project = Project::new();
    project.succeed("synth --all");
    let before = project.tree("out");
    project.edit("envs/prod.toml", "acme", "umbrella");
    project.edit("envs/prod.toml", "10.30.0.0/16", "10.31.0.0/16");
    let script = format!("trap '' XFSZ; ulimit -f 0; exec {} synth --env prod", env!("CARGO_BIN_EXE_txnr"));
    let output =
        Command::new("bash").args(["-c", &script]).current_dir(project.path("")).output().expect("bash runs");
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(project.tree("out"), before);
    project.succeed("synth --env prod");
    assert_ne!(project.tree("out"), before);
}

#[test]
fn a_second_run_waits_for_the_first() {
    let project = Project::new();
    fs::create_dir(project.path("out")).expect("a folder");
    let lock = File::create(project.path("out/.txnr.lock")).expect("a file");
    lock.lock().expect("the lock");
    let mut child = project.command("synth --all").stderr(Stdio::piped()).spawn().expect("the command runs");
    // However long it takes to get there, what it says first is that it waits.
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    stderr.read_line(&mut said).expect("a line");
    assert_eq!(said, "waiting for another txnr that writes to this folder\n");
    assert!(!project.path("out/prod").exists());
    lock.unlock().expect("the lock");
    stderr.read_to_string(&mut said).expect("the rest");
    assert!(child.wait().expect("its end").success(), "{said}");
    project.succeed("synth --all --check");
}

#[test]
fn many_runs_at_once_leave_one_output() {
    let project = Project::new();
    let runs: Vec<_> = (0..8).map(|_| project.command("synth --all").stderr(Stdio::null()).spawn()).collect();
    for run in runs {
        assert!(run.expect("the command runs").wait().expect("its end").success());
    }
    project.succeed("synth --all --check");
}

#[test]
fn environments_are_listed() {
    let project = Project::new();
    assert_snapshot!(project.run("envs"), @r"
    $ txnr envs
    exit code: 0
    --- stdout
    NAME  PRODUCTION  ACCOUNT       REGION     CIDR          AZS  TASKS         DOMAIN
    dev   no          111122223333  us-east-1  10.10.0.0/16  3    1 x 256/512   reconcile.dev.example.com
    prod  yes         333344445555  us-east-1  10.30.0.0/16  3    3 x 512/1024  reconcile.example.com
    --- stderr
    ");
    assert_snapshot!(project.run("envs --json"));
}

#[test]
fn addresses_that_hold_data_are_let_go_of_only_where_the_file_says_so() {
    let project = Project::new();
    project.succeed("synth --all");
    assert!(!project.path("envs/prod.lock").exists());
    project.succeed("synth --env prod --lock");
    let lock = project.read("envs/prod.lock");
    let before = project.tree("out");
    project.write("envs/prod.toml", &format!("{PROD}\n[data]\nstore = \"postgres\"\n"));
    for refused in ["synth --env prod", "synth --env prod --check", "synth --env prod --stdout"] {
        let output = project.command(refused).output().expect("the command runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(12), "{said}");
        assert!(said.contains("aws_dynamodb_table.audit is in envs/prod.lock"), "{said}");
    }
    assert_eq!((project.tree("out"), project.read("envs/prod.lock")), (before, lock));
    let gone = |table: &str| {
        format!(
            "[[removed]]\naddress = \"aws_dynamodb_table.{table}\"\ndestroy = false\nreason = \"Kept for the auditors\"\n"
        )
    };
    let said = format!("{PROD}\n[data]\nstore = \"postgres\"\n{}{}", gone("audit"), gone("records"));
    project.write("envs/prod.toml", &said);
    let stale = project.run("synth --env prod --check");
    assert!(
        stale.contains("exit code: 4") && stale.contains("envs/prod.lock: it lists other addresses"),
        "{stale}"
    );
    project.succeed("synth --env prod");
    project.succeed("synth --env prod --check");
    assert!(!project.read("envs/prod.lock").contains("aws_dynamodb_table"));
    assert!(project.read("out/prod/moves.tf.json").contains("aws_dynamodb_table.audit"));
    // A lock that cannot be read holds nothing, so nothing is written.
    for (text, why) in [("{", "EOF"), (r#"{"version": 2, "holds": {}}"#, "version 2")] {
        project.write("envs/prod.lock", text);
        let refused = project.run("synth --env prod");
        assert!(refused.contains("exit code: 6") && refused.contains(why), "{refused}");
    }
}
