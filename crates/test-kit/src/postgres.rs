//! A PostgreSQL of a test's own.

use std::net::{IpAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How it is set up.
pub struct Setup<'a> {
    /// Where it listens.
    pub address: IpAddr,
    /// And at which port.
    pub port: u16,
    /// Whom it belongs to: the role that may do everything.
    pub owner: &'a str,
    /// Its certificate and key, as PEM. With them it speaks to nobody without TLS.
    pub identity: Option<(&'a str, &'a str)>,
}

/// A server, gone with the value.
pub struct Server {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT is a fast shutdown, which a kill would not be: shared memory would be left behind.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// A program of PostgreSQL, from the PATH or from where Debian keeps it.
pub fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> =
        versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
}

/// A command that is not run as root, which PostgreSQL refuses.
fn unprivileged(name: &str) -> Command {
    if !is_root() {
        return Command::new(program(name));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program(name));
    command
}

/// Gives a path to whom PostgreSQL runs as.
fn hand_over(path: &Path) {
    if is_root() {
        assert!(Command::new("chown").arg("postgres").arg(path).status().unwrap().success());
    }
}

/// Writes the server's identity, and that nobody is let in without TLS.
fn demand_tls(data: &Path, (certificate, key): (&str, &str)) {
    for (name, text) in [
        ("server.crt", certificate),
        ("server.key", key),
        ("pg_hba.conf", "hostssl all all 127.0.0.0/8 trust\n"),
    ] {
        let path = data.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        hand_over(&path);
    }
}

/// Starts a server and waits until it listens.
pub fn start(setup: &Setup<'_>) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    hand_over(folder.path());
    hand_over(&data);
    let made = unprivileged("initdb")
        .args([&format!("--username={}", setup.owner), "--auth=trust", "--encoding=UTF8", "--no-sync", "-D"])
        .arg(&data)
        .output()
        .expect("initdb runs; install PostgreSQL (tests/setup does)");
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let mut command = unprivileged("postgres");
    command.arg("-D").arg(&data);
    command.args(["-c", &format!("listen_addresses={}", setup.address), "-c", "unix_socket_directories="]);
    command.args(["-p", &setup.port.to_string()]);
    if let Some(identity) = setup.identity {
        demand_tls(&data, identity);
        command.args(["-c", "ssl=on"]);
    }
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let server = Server { child, _folder: folder };
    for _ in 0..100 {
        if TcpStream::connect((setup.address, setup.port)).is_ok() {
            return server;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("PostgreSQL does not listen on {}:{}", setup.address, setup.port);
}
