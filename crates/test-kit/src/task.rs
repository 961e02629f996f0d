//! The task as it is synthesized, and as it is run here.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::engines::Engines;
use crate::http::{Caller, letters};
use crate::{address, program};

/// A synthesized module: `kind.name` to the block, and the documents.
pub struct Module {
    /// Its region.
    pub region: String,
    /// Its account.
    pub account: String,
    files: Vec<Value>,
}

impl Module {
    /// Of an environment of that region and account, from the files that are rendered of it.
    pub fn new(region: String, account: String, files: Vec<Value>) -> Self {
        Self { region, account, files }
    }

    /// The blocks of a kind, by name.
    pub fn resources(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let pointer = format!("/resource/{kind}");
        let blocks = self.files.iter().filter_map(|file| file.pointer(&pointer)?.as_object());
        blocks.flatten().map(|(name, block)| (name.as_str(), block)).collect()
    }

    /// A document, which is a local value.
    fn document(&self, name: &str) -> &Value {
        let pointer = format!("/locals/{name}");
        self.files.iter().find_map(|file| file.pointer(&pointer)).unwrap_or_else(|| panic!("no {name}"))
    }

    /// The first container of a task definition.
    pub fn container(&self, definition: &str) -> &Value {
        &self.document(&format!("aws_ecs_task_definition_{definition}_container_definitions"))[0]
    }

    /// What the task's role may do.
    pub fn task_policy(&self) -> &Value {
        self.document("aws_iam_role_policy_task_policy")
    }

    /// The one target group that the service starts with.
    pub fn target_group(&self) -> &Value {
        self.resources("aws_lb_target_group")["blue"]
    }

    /// Text with its references resolved: from the module's own arguments, and for what AWS alone would know by
    /// `known`.
    pub fn resolve(&self, text: &str, known: &dyn Fn(&str) -> Option<String>) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (reference, after) = after.split_once('}').expect("a reference ends");
            out.push_str(before);
            let value = known(reference).or_else(|| self.reference(reference));
            out.push_str(&value.unwrap_or_else(|| panic!("nobody knows {reference}")));
            rest = after;
        }
        out + rest
    }

    fn reference(&self, reference: &str) -> Option<String> {
        let mut parts = reference.splitn(3, '.');
        let (kind, name, attribute) = (parts.next()?, parts.next()?, parts.next()?);
        let argument = |argument: &str| self.resources(kind).get(name)?[argument].as_str().map(str::to_owned);
        match (kind, attribute) {
            ("aws_s3_bucket", "id") => argument("bucket"),
            ("aws_s3_bucket", "arn") => Some(format!("arn:aws:s3:::{}", argument("bucket")?)),
            ("aws_dynamodb_table", "name") => argument("name"),
            ("aws_dynamodb_table", "arn") => {
                Some(format!("arn:aws:dynamodb:{}:{}:table/{}", self.region, self.account, argument("name")?))
            }
            ("aws_kms_key", "arn") => {
                Some(format!("arn:aws:kms:{}:{}:key/{name}", self.region, self.account))
            }
            _ => None,
        }
    }
}

/// What a container is started with.
#[derive(Clone)]
pub struct Container {
    /// Where its 0.0.0.0 is here.
    pub ip: Ipv4Addr,
    /// Its variables, plain ones and secrets.
    pub variables: BTreeMap<String, String>,
    /// What AWS adds, and what leads it to the engines.
    pub added: BTreeMap<String, String>,
    command: Vec<String>,
    health: Vec<String>,
}

impl Container {
    /// From a task definition. Stood in for are: secrets; 0.0.0.0, by a loopback address of its own, since here all
    /// tasks are on one machine; the certificate authorities of RDS, by those of the engine.
    pub fn of(module: &Module, definition: &str, engines: &Engines) -> Self {
        let definition = module.container(definition);
        let ip = address::own();
        let list = |key: &str| definition[key].as_array().cloned().unwrap_or_default();
        let words = |list: &Value| -> Vec<String> {
            let words = list.as_array().into_iter().flatten();
            words.map(|word| word.as_str().unwrap().to_owned()).collect()
        };
        let mut variables = BTreeMap::new();
        for entry in list("environment") {
            let value = module.resolve(entry["value"].as_str().unwrap(), &|name| engines.know(name));
            let value = value.replace("0.0.0.0", &ip.to_string());
            let value = if value == contract::DATABASE_CA_FILE { engines.authorities() } else { value };
            variables.insert(entry["name"].as_str().unwrap().to_owned(), value);
        }
        for entry in list("secrets") {
            let source = entry["valueFrom"].as_str().unwrap();
            let value = engines.secret(source).unwrap_or_else(|| letters(64));
            variables.insert(entry["name"].as_str().unwrap().to_owned(), value);
        }
        let health = words(&definition["healthCheck"]["command"]);
        Self {
            ip,
            variables,
            added: engines.added(module),
            command: words(&definition["command"]),
            health: health.into_iter().skip(1).collect(),
        }
    }

    /// Another task of the same definition: another address, the same secrets.
    pub fn replica(&self) -> Self {
        let mut other = Self { ip: address::own(), ..self.clone() };
        for value in other.variables.values_mut() {
            *value = value.replace(&self.ip.to_string(), &other.ip.to_string());
        }
        other
    }

    fn run(&self, arguments: &[String]) -> Command {
        let mut command = unprivileged(program::path());
        command.args(arguments).env_clear().envs(&self.variables).envs(&self.added);
        // Where a container without WORKDIR begins, and where an ordinary user cannot write.
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub fn output(&self) -> Output {
        self.run(&self.command).output().unwrap()
    }

    /// Runs the health check as ECS does.
    pub fn health(&self) -> Output {
        let [binary, arguments @ ..] = &self.health[..] else { panic!("there is no health check") };
        assert_eq!(binary, contract::BINARY);
        self.run(arguments).output().unwrap()
    }

    /// Whether its health check passes.
    pub fn is_healthy(&self) -> bool {
        self.health().status.success()
    }

    /// Starts it, and waits until a path answers 200.
    pub fn start(&self, path: &str) -> Task {
        let log = tempfile::tempfile().unwrap();
        let child =
            self.run(&self.command).stdout(Stdio::null()).stderr(log.try_clone().unwrap()).spawn().unwrap();
        let address = SocketAddr::from((self.ip, contract::PORT));
        let mut task = Task { child, log, address };
        let anybody = task.caller("");
        let begun = Instant::now();
        while !anybody.send(&format!("GET {path}"), &[], b"").is_ok_and(|answer| answer.status == 200) {
            assert!(task.child.try_wait().unwrap().is_none(), "it has ended: {}", task.said());
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not get ready: {}", task.said());
            std::thread::sleep(Duration::from_millis(50));
        }
        task
    }
}

/// A command as the container's user with no capability; as whoever runs the tests where those are not root.
fn unprivileged(program: &Path) -> Command {
    if !std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0) {
        return Command::new(program);
    }
    let user = contract::USER_ID;
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={user}")]);
    command.args(["--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]);
    command.arg(program);
    command
}

/// A running task. It is killed with the value.
pub struct Task {
    child: Child,
    log: std::fs::File,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Task {
    /// Somebody who calls it.
    pub fn caller(&self, token: &str) -> Caller {
        Caller::bearing(self.address, token)
    }

    /// Its number.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Its log so far.
    pub fn said(&self) -> String {
        use std::io::{Read, Seek};
        let mut log = self.log.try_clone().unwrap();
        let mut text = String::new();
        log.rewind().unwrap();
        log.read_to_string(&mut text).unwrap();
        text
    }

    /// Files that it has open for writing, other than its log.
    pub fn written_files(&self) -> Vec<String> {
        let process = format!("/proc/{}", self.process());
        let descriptors = std::fs::read_dir(format!("{process}/fd")).unwrap().flatten();
        let written = descriptors.filter_map(|descriptor| {
            let number = descriptor.file_name().into_string().ok()?;
            let target = std::fs::read_link(descriptor.path()).ok()?;
            let info = std::fs::read_to_string(format!("{process}/fdinfo/{number}")).ok()?;
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
            let for_writing = u32::from_str_radix(flags.trim(), 8).ok()? & 0o3 != 0;
            let standard = matches!(number.as_str(), "0" | "1" | "2");
            (for_writing && target.is_file() && !standard).then(|| target.display().to_string())
        });
        written.collect()
    }

    /// SIGTERM, as ECS sends it.
    pub fn terminate(&self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; answers whether it ended well, and how long that took.
    pub fn end(mut self, patience: Duration) -> (bool, Duration) {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.success(), begun.elapsed());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it has not ended after {patience:?}: {}", self.said());
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
