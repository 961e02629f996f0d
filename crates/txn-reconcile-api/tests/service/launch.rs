//! The real binary with variables of one's own, its log in a file.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::Var;
use test_kit::address::free;

use super::process::ask;

/// A service that runs, and is gone with the value.
pub struct Launched {
    child: Child,
    pub address: SocketAddr,
    pub metrics: SocketAddr,
    pub token: String,
    said: Arc<Mutex<Vec<String>>>,
    folder: tempfile::TempDir,
}

impl Drop for Launched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Launched {
    /// The token of a second person.
    pub fn second(&self) -> String {
        let second = (0..100).find_map(|_| {
            let second =
                self.said().iter().find_map(|line| Some(line.trim().strip_prefix("TOKEN2=")?.to_owned()));
            // It answers, and its pipe is read a moment later.
            second.or_else(|| {
                std::thread::sleep(Duration::from_millis(50));
                None
            })
        });
        second.expect("a second token")
    }

    /// Starts it over the embedded store.
    pub fn new(arguments: &[&str], variables: &[(Var, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (address, metrics) = (free(), free());
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_txn-reconcile-api"));
        command
            .arg("serve")
            .args(arguments)
            .env_clear()
            .env(Var::DataDirectory.name(), folder.path())
            .env(Var::ListenAddress.name(), address.to_string())
            .env(Var::MetricsAddress.name(), metrics.to_string())
            .envs(variables.iter().map(|(var, value)| (var.name(), value)))
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let token = lines.find_map(|line| Some(line.trim().strip_prefix("TOKEN=")?.to_owned()));
        // What nobody reads any more would break the service's pipe.
        let said = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&said);
        std::thread::spawn(move || lines.for_each(|line| heard.lock().unwrap().push(line)));
        let service = Self { child, address, metrics, token: token.unwrap_or_default(), said, folder };
        for _ in 0..200 {
            // It takes its address first, and answers when it has said what there is to say.
            if ask(address, "", "GET /healthz", "").is_some_and(|answer| answer.status == 200) {
                return service;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the service does not listen: {}", service.log());
    }

    /// What it has said on standard output after the first token.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Where its data lie.
    pub fn data(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Tells it to stop; answers its log when it has.
    pub fn stop(mut self) -> String {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(told.success());
        assert!(self.child.wait().unwrap().success(), "{}", self.log());
        self.log()
    }
}
