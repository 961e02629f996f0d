//! The service as it starts on a laptop: one file for a database, files in a folder.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use contract::Var;
use serde_json::json;

use crate::http::{Caller, letters};
use crate::{address, program};

/// A running one. It is killed with the value.
pub struct Laptop {
    /// Its process.
    pub child: Child,
    /// The key that makes keys.
    pub admin_key: String,
    /// Somebody of the tenant, who may do everything.
    pub member: Caller,
}

impl Drop for Laptop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Laptop {
    /// Starts it over a folder, with a key of a tenant, and no limit to how often that one may ask.
    pub fn start(data: &Path) -> Self {
        let ip = address::own();
        let admin_key = letters(64);
        let variables = [
            (Var::DataDirectory, data.display().to_string()),
            (Var::ListenAddress, format!("{ip}:{}", contract::PORT)),
            (Var::MetricsAddress, format!("{ip}:{}", contract::METRICS_PORT)),
            (Var::AdminKey, admin_key.clone()),
            (Var::RequestsPerSecond, "1000000".to_owned()),
        ];
        let mut command = Command::new(program::path());
        command.arg("serve").env_clear().envs(variables.map(|(var, value)| (var.name().to_owned(), value)));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let address = SocketAddr::from((ip, contract::PORT));
        let member = Caller { address, authorization: String::new() };
        let mut laptop = Self { child, admin_key, member };
        laptop.member = laptop.key();
        laptop
    }

    /// A new key of the tenant, with all scopes, as soon as the service answers.
    pub fn key(&self) -> Caller {
        let address = self.member.address;
        let admin = Caller::bearing(address, &self.admin_key);
        let wanted =
            json!({"tenant": "acme", "name": "test", "scopes": ["read", "write", "approve", "audit"]});
        let made = (0..10_000).find_map(|_| {
            std::thread::sleep(Duration::from_millis(1));
            admin.try_post("/v1/keys", &wanted).ok()
        });
        let made = made.expect("the service answers").json();
        Caller::bearing(address, made["token"].as_str().unwrap())
    }
}
