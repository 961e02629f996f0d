//! `txnr reach`: what is reached, its proof, and the file of what is expected.

use crate::project::Project;
use insta::assert_snapshot;
use serde_json::Value;
use std::fs;
use std::path::Path;

#[test]
fn production_is_told_as_a_whole_and_pair_by_pair() {
    let project = Project::new();
    assert_snapshot!("reach", project.run("reach --env prod"));
    assert_snapshot!("reach_proof", project.run("reach --env prod --from internet --to tasks"));
    let out = project.succeed("reach --env prod --from tasks --to internet");
    assert!(out.contains("not reached") && out.contains("stopped at security group out"), "{out}");
    let asked =
        project.succeed("reach --env prod --from 203.0.113.0/24 --to aws_lb.main --protocol tcp --port 22");
    assert!(asked.contains("not reached") && asked.contains("as far as this came: tcp 22"), "{asked}");
}

#[test]
fn the_json_holds_every_pair_by_its_schema() {
    let project = Project::new();
    let report: Value = serde_json::from_str(&project.succeed("reach --env prod --json")).expect("JSON");
    let schema: Value = serde_json::from_str(&project.succeed("reach --schema")).expect("JSON");
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&report), {
        let mut names = keys(&schema["properties"]);
        names.sort_by_key(|name| keys(&report).iter().position(|key| key == name));
        names
    });
    let pairs = report["pairs"].as_array().expect("pairs");
    let to_tasks =
        pairs.iter().find(|pair| pair["from"] == "internet" && pair["to_kind"] == "tasks").expect("it");
    assert_eq!(to_tasks["ways"], Value::Array(Vec::new()));
    assert_eq!(to_tasks["relayed"][0]["by"], "aws_lb.main");
    assert_eq!(to_tasks["relayed"][0]["from"][0]["passes"][0], "tcp 8080");
}

#[test]
fn what_opens_and_closes_fails_until_it_is_written_down() {
    let project = Project::new();
    let missing = project.run("reach --env prod --check");
    assert!(missing.contains("exit code: 6") && missing.contains("--write"), "{missing}");
    project.succeed("reach --env prod --write");
    project.succeed("reach --env prod --check");
    let file = project.read("envs/prod.toml");
    let more = "\n[[network.egress]]\nname = \"scheme\"\ncidr = \"198.51.100.0/24\"\nreason = \"Files of the scheme\"\n\
                \n[alb]\nallowed_cidrs = [\"203.0.113.0/24\"]\n";
    project.write("envs/prod.toml", &(file + more));
    assert_snapshot!("reach_check", project.run("reach --env prod --check"));
    project.succeed("reach --env prod --write");
    project.succeed("reach --env prod --check");
    project.write("envs/prod.reach", "internet reaches all\n");
    let wrong = project.run("reach --env prod --check");
    assert!(wrong.contains("exit code: 6") && wrong.contains("line 1"), "{wrong}");
}

#[test]
fn a_place_that_nothing_is_called_is_a_mistake_of_the_command_line() {
    let usage = Project::new().run("reach --env prod --to nowhere");
    assert!(usage.contains("exit code: 2") && usage.contains("load-balancer, tasks"), "{usage}");
}

/// What this repository's environments are expected to reach: `txnr reach --env NAME --write` after a change that is meant.
#[test]
fn the_environments_reach_what_is_expected() {
    let envs = Path::new(env!("CARGO_MANIFEST_DIR")).join("envs");
    for name in ["dev", "stage", "prod"] {
        Project::empty().succeed(&format!("reach --env {name} --check --envs {}", envs.display()));
        let text = fs::read_to_string(envs.join(format!("{name}.reach"))).expect("a file");
        let copy = Project::empty();
        for entry in fs::read_dir(&envs).expect("a folder").flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let file = path.file_name().and_then(|name| name.to_str()).expect("a name");
                copy.write(&format!("envs/{file}"), &fs::read_to_string(&path).expect("a file"));
            }
        }
        copy.succeed(&format!("reach --env {name} --write"));
        assert_eq!(copy.read(&format!("envs/{name}.reach")), text, "txnr reach --env {name} --write");
    }
}
