//! A local AWS for one test: started on a free port, asked through its API, stopped at the end.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{python, repository};

/// The file of a local AWS that holds every call, one JSON document per line.
const CALLS: &str = "calls.jsonl";

/// A running local AWS: one account, empty at the start, in the memory of a process of its own.
pub struct LocalAws {
    url: String,
    /// Where every call is written down.
    folder: TempDir,
    server: Child,
    gaps: Arc<Mutex<Vec<String>>>,
    asking: Mutex<Asking>,
}

/// A call as its API names it.
#[derive(Debug)]
pub struct Call {
    /// The id of the access key that signed it: of Terraform's calls, the name of its command.
    pub who: String,
    /// The service by IAM's prefix.
    pub service: String,
    /// The region in the signature.
    pub region: String,
    /// By the API's own name, `CreateRole`; none, if its model knows none for the request.
    pub operation: Option<String>,
    /// As the API's reference names them.
    pub params: Value,
    /// ARN and boundary of the role that a call of IAM names, if it is there.
    pub role: Option<Value>,
}

impl Call {
    fn read(line: &str) -> Self {
        let mut call: Value = serde_json::from_str(line).expect("a call is written down as JSON");
        let text = |key: &str| call[key].as_str().map(str::to_owned);
        let whole = |key: &str| text(key).unwrap_or_else(|| panic!("a call without {key}: {line}"));
        Self {
            who: whole("who"),
            service: whole("service"),
            region: whole("region"),
            operation: text("operation"),
            role: call.get("role").filter(|role| role.is_object()).cloned(),
            params: call["params"].take(),
        }
    }
}

/// The helper process through which questions go to the API.
struct Asking {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl LocalAws {
    /// Starts a local AWS whose account has this number.
    pub fn start(account: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the calls");
        let mut server = local_aws_python("server.py")
            .env("MOTO_ACCOUNT_ID", account)
            .arg("--calls")
            .arg(folder.path().join(CALLS))
            .arg("--with-parent")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the local AWS starts");
        let mut output = BufReader::new(server.stdout.take().expect("its output is piped"));
        let mut first = String::new();
        output.read_line(&mut first).expect("the local AWS says where it listens");
        let url = first.trim().strip_prefix("listening on ").expect("the local AWS started").to_owned();
        let gaps = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&gaps);
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(gap) = line.strip_prefix("gap: ") {
                    seen.lock().unwrap().push(gap.to_owned());
                }
            }
        });
        let asking = Mutex::new(Asking::start(&url));
        Self { url, folder, server, gaps, asking }
    }

    /// Where it listens, as `http://ADDRESS:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The variables that send an AWS SDK, Terraform's provider among them, to this local AWS.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.url.clone()),
            // S3 Control puts the account before the host's name, which then does not resolve. Sent through a
            // proxy it need not; what goes to the loopback address itself does not go through the proxy.
            ("HTTP_PROXY", self.url.clone()),
            ("NO_PROXY", String::new()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// Asks an operation of the API, both by boto3's names: `("elbv2", "describe_load_balancers", …)`. Panics
    /// where the API answers with an error.
    pub fn ask(&self, region: &str, service: &str, operation: &str, parameters: Value) -> Value {
        let question =
            json!({"region": region, "service": service, "operation": operation, "parameters": parameters});
        let mut answer = self.asking.lock().unwrap().ask(&question);
        assert!(answer.get("error").is_none(), "{service} {operation}: {}", answer["error"]);
        answer["result"].take()
    }

    /// Every call so far that somebody signed.
    pub fn calls(&self) -> Vec<Call> {
        let text = fs::read_to_string(self.folder.path().join(CALLS)).expect("the calls are written down");
        text.lines().map(Call::read).collect()
    }

    /// The calls so far that nobody implements, or that the model of their API rules out: none, or a test that passed proves
    /// less than it seems to.
    pub fn gaps(&self) -> Vec<String> {
        self.gaps.lock().unwrap().clone()
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        if let Ok(asking) = self.asking.get_mut() {
            stop(&mut asking.process);
        }
        stop(&mut self.server);
    }
}

impl Asking {
    fn start(url: &str) -> Self {
        let mut process = local_aws_python("ask.py")
            .arg(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the helper that asks the API starts");
        let questions = process.stdin.take().expect("its input is piped");
        let answers = BufReader::new(process.stdout.take().expect("its output is piped"));
        Self { process, questions, answers }
    }

    /// One line out, one line in.
    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions, "{question}").expect("the helper takes a question");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the helper answers");
        serde_json::from_str(&answer).expect("the helper answers in JSON")
    }
}

fn local_aws_python(script: &str) -> Command {
    let mut command = Command::new(python("local-aws"));
    command.arg(repository("tests/local-aws").join(script)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Ends a process that this test started. It may have ended by itself.
fn stop(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}
