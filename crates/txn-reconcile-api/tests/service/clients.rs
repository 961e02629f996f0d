//! Clients that other people's generators make of `openapi.json` walk the README's session against the real binary.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::launch::Launched;

/// A program of the Python environment that `tests/setup` makes.
fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.cache/clients/bin").join(name);
    assert!(path.exists(), ".cache/clients is not there; run tests/setup");
    path
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{command:?}: {}", said.join("\n"));
}

#[test]
fn generated_clients_walk_the_session() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let document = here.join("openapi.json");
    let java = Command::new("java").arg("-version").output();
    assert!(
        java.is_ok_and(|java| java.status.success()),
        "Java 11 or newer is needed (apt-get install default-jre-headless)"
    );
    let (generated, walked) = (folder.path().join("generated"), folder.path().join("walked"));
    std::fs::create_dir(&walked).unwrap();
    let mut generator = Command::new(program("openapi-generator-cli"));
    generator.env("JAVA_OPTS", "-XX:TieredStopAtLevel=1").arg("generate").arg("-i").arg(&document);
    generator.args(["-g", "python", "-p", "packageName=by_openapi_generator", "-o"]).arg(&generated);
    run(&mut generator);
    std::fs::rename(generated.join("by_openapi_generator"), walked.join("by_openapi_generator")).unwrap();
    let mut generator = Command::new(program("openapi-python-client"));
    generator.args(["generate", "--meta", "none", "--path"]).arg(&document);
    run(generator.arg("--output-path").arg(walked.join("by_openapi_python_client")));

    let service = Launched::new(&[], &[]);
    let second = service.second();
    let mut walk = Command::new(program("python"));
    walk.arg("-B").arg(here.join("tests/clients/walk.py")).arg(format!("http://{}", service.address));
    run(walk.arg(&walked).args([&service.token, &second]));
}
