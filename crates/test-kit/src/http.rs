//! A caller of an API: whom it asks, in whose name, and what it is answered. A connection for each request, so that a server
//! which stops or is killed is noticed at once. It may be used beside an asynchronous runtime as well as without one.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Body, Client, Method};
use serde_json::Value;
use tokio::runtime::Runtime;

/// What carries requests beside the tests' own threads.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let client = Client::builder().connect_timeout(Duration::from_secs(5)).timeout(Duration::from_secs(600));
    client.pool_max_idle_per_host(0).no_proxy().build().expect("a client")
});

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Of HTTP, such as 200.
    pub status: u16,
    headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    async fn of(request: reqwest::RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, headers, text: response.text().await? })
    }

    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The identifier of what was made.
    pub fn id(&self) -> String {
        assert!(matches!(self.status, 200..=202), "{} {}", self.status, self.text);
        self.json()["id"].as_str().expect("an identifier").to_owned()
    }
}

/// A request whose answer is yet to come.
struct Asked(Receiver<reqwest::Result<Answer>>);

impl Asked {
    fn new(request: reqwest::RequestBuilder) -> Self {
        let (answered, answer) = channel();
        // Nobody may wait for it any more.
        RUNTIME.spawn(async move { drop(answered.send(Answer::of(request).await)) });
        Self(answer)
    }

    fn answer(self) -> std::io::Result<Answer> {
        self.0.recv().map_err(Error::other)?.map_err(Error::other)
    }
}

/// A request whose body is sent piece by piece.
pub struct Upload {
    body: tokio::sync::mpsc::Sender<std::io::Result<Bytes>>,
    asked: Asked,
}

impl Upload {
    /// Sends a piece.
    pub fn send(&self, piece: &[u8]) -> std::io::Result<()> {
        self.body.blocking_send(Ok(Bytes::copy_from_slice(piece))).map_err(|_| ErrorKind::BrokenPipe.into())
    }

    /// The answer, once all of the body is sent.
    pub fn answer(self) -> std::io::Result<Answer> {
        drop(self.body);
        self.asked.answer()
    }
}

/// Whom a request goes to, and in whose name.
#[derive(Clone)]
pub struct Caller {
    /// Where the server listens.
    pub address: SocketAddr,
    /// The header of that name.
    pub authorization: String,
}

impl Caller {
    /// Somebody who bears a token.
    pub fn bearing(address: SocketAddr, token: &str) -> Self {
        Self { address, authorization: format!("Bearer {token}") }
    }

    fn request(&self, line: &str, headers: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = CLIENT.request(method, format!("http://{}{path}", self.address));
        let own = [("authorization", &*self.authorization)];
        headers.iter().chain(&own).fold(request, |request, (name, value)| request.header(*name, *value))
    }

    /// Sends what stands before the body, of so many bytes: a method and a path, and headers. The body follows.
    pub fn open(&self, line: &str, headers: &[(&str, &str)], length: usize) -> Upload {
        let (body, mut pieces) = tokio::sync::mpsc::channel(4);
        let stream = futures_util::stream::poll_fn(move |context| pieces.poll_recv(context));
        let request = self.request(line, headers).header("content-length", length);
        Upload { body, asked: Asked::new(request.body(Body::wrap_stream(stream))) }
    }

    /// Sends a method and a path, such as `GET /healthz`, with headers and a body.
    pub fn send(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> std::io::Result<Answer> {
        Asked::new(self.request(line, headers).body(body.to_vec())).answer()
    }

    /// Reads a path.
    pub fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &[], b"").unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Posts JSON, and answers an error where there was no answer.
    pub fn try_post(&self, path: &str, body: &Value) -> std::io::Result<Answer> {
        let headers = [("content-type", "application/json"), ("idempotency-key", &*fresh())];
        self.send(&format!("POST {path}"), &headers, body.to_string().as_bytes())
    }

    /// Posts JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// Sends a statement file to a source.
    pub fn upload(&self, source: &str, name: &str, file: &[u8]) -> Answer {
        let (digest, key) = (content_digest(file), fresh());
        let headers = [("content-digest", &*digest), ("idempotency-key", &*key)];
        self.send(&format!("POST /v1/statements?source={source}&name={name}"), &headers, file).unwrap()
    }
}

/// `Content-Digest` of a file (RFC 9530).
pub fn content_digest(file: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, file);
    format!("sha-256=:{}:", STANDARD.encode(digest))
}

/// A new idempotency key, without digits that could look like a card number.
pub fn fresh() -> String {
    letters(32)
}

/// Letters at random.
pub fn letters(count: usize) -> String {
    let mut bytes = vec![0; count];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes.into_iter().map(|byte| char::from(b'a' + byte % 26)).collect()
}
