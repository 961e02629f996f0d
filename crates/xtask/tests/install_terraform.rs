//! `tests/install-terraform` takes what a server publishes, and nothing else; the server is a stand-in.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const VERSION: &str = "1.11.4";

/// A server of files. It ends with the value.
struct Releases {
    folder: tempfile::TempDir,
    server: Child,
    address: String,
}

impl Drop for Releases {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn archive() -> String {
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let os = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    format!("terraform_{VERSION}_{os}_{arch}.zip")
}

impl Releases {
    /// Publishes a program that says which version it is.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let published = folder.path().join("terraform").join(VERSION);
        std::fs::create_dir_all(&published).unwrap();
        let program = folder.path().join("terraform-program/terraform");
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::fs::write(&program, format!("#!/bin/sh\necho Terraform v{VERSION}\n")).unwrap();
        let zip = published.join(archive());
        succeed(Command::new("python3").args(["-m", "zipfile", "-c"]).arg(&zip).arg(&program));
        let digest = "import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest())";
        let digest = succeed(Command::new("python3").args(["-c", digest]).arg(&zip));
        let sums = format!("{}  other.zip\n{}  {}\n", "0".repeat(64), digest.trim(), archive());
        std::fs::write(published.join(format!("terraform_{VERSION}_SHA256SUMS")), sums).unwrap();
        let mut server = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.split("port ").nth(1).and_then(|rest| rest.split(' ').next()).expect(&line);
        let address = format!("http://127.0.0.1:{port}");
        Self { folder, server, address }
    }

    fn published(&self) -> PathBuf {
        self.folder.path().join("terraform").join(VERSION)
    }

    fn install(&self, into: &Path) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/install-terraform");
        Command::new(script)
            .arg(into)
            .env("TERRAFORM_RELEASES", &self.address)
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1")
            .output()
            .unwrap()
    }
}

#[test]
fn what_is_published_is_installed_and_runs() {
    let releases = Releases::start();
    let into = tempfile::tempdir().unwrap();
    let output = releases.install(into.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(succeed(&mut Command::new(into.path().join("terraform"))), format!("Terraform v{VERSION}\n"));
}

#[test]
fn what_is_not_what_was_published_is_not_installed() {
    let releases = Releases::start();
    let into = tempfile::tempdir().unwrap();
    let refused = |what: &str| {
        let output = releases.install(into.path());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(what), "{said}");
        assert!(!into.path().join("terraform").exists());
    };
    let zip = releases.published().join(archive());
    std::fs::OpenOptions::new().append(true).open(&zip).unwrap().write_all(b"more").unwrap();
    refused("is not the published one");
    std::fs::write(releases.published().join(format!("terraform_{VERSION}_SHA256SUMS")), "").unwrap();
    refused("has no line for");
    std::fs::remove_file(zip).unwrap();
    refused("404");
}
