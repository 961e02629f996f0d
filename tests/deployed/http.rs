//! As much of an HTTP client as the tests need: a request, a connection, an answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The head, with its names as they came.
    pub head: String,
    pub text: String,
}

impl Answer {
    /// Reads one to its end.
    pub fn read(stream: &mut TcpStream) -> std::io::Result<Self> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(std::io::ErrorKind::InvalidData)?;
        Ok(Self { status, head: head.to_owned(), text: body.to_owned() })
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}\n{}", self.head, self.text))
    }

    /// The identifier of what was made.
    pub fn id(&self) -> String {
        assert!(matches!(self.status, 200..=202), "{} {}", self.status, self.text);
        self.json()["id"].as_str().expect("an identifier").to_owned()
    }
}

/// Whom a request goes to, and in whose name.
#[derive(Clone)]
pub struct Caller {
    pub address: SocketAddr,
    /// The header of that name.
    pub authorization: String,
}

impl Caller {
    /// Opens a connection and sends what stands before the body. The caller sends the body.
    pub fn open(&self, line: &str, headers: &[(&str, &str)], length: usize) -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut head = format!("{line} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let credential = &self.authorization;
        head.push_str(&format!("authorization: {credential}\r\ncontent-length: {length}\r\n\r\n"));
        stream.write_all(head.as_bytes())?;
        Ok(stream)
    }

    pub fn send(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> std::io::Result<Answer> {
        let mut stream = self.open(line, headers, body.len())?;
        stream.write_all(body)?;
        Answer::read(&mut stream)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &[], b"").unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Posts JSON, and answers an error where there was no answer.
    pub fn try_post(&self, path: &str, body: &Value) -> std::io::Result<Answer> {
        let headers = [("content-type", "application/json"), ("idempotency-key", &*fresh())];
        self.send(&format!("POST {path}"), &headers, body.to_string().as_bytes())
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

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
