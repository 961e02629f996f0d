//! What stands before an engine, passes everything on as it comes, and writes down each request.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it passed.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: BTreeMap<String, String>,
    /// Of a POST alone: files are large, and say nothing of what may be done.
    pub body: Vec<u8>,
    /// What it was answered with; 0 as long as nobody has.
    pub status: u16,
}

/// Stands before an engine and writes down what passes.
pub struct Recorder {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Recorder {
    pub fn before(engine: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A client or an engine that goes away is no event.
                drop(connect(client, engine, &notes));
            }
        });
        Self { address, seen }
    }

    pub fn calls(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// One connection on either side, for as many requests as both ends like.
fn connect(client: TcpStream, engine: SocketAddr, notes: &Arc<Mutex<Vec<Seen>>>) -> std::io::Result<()> {
    let upstream = TcpStream::connect(engine)?;
    for side in [&client, &upstream] {
        side.set_nodelay(true)?;
    }
    let onward = Passage { from: client.try_clone()?, to: upstream.try_clone()? };
    let back = Passage { from: upstream, to: client };
    // The request that waits for its answer; there is one at a time.
    let open = Arc::new(Mutex::new(None));
    let (asked, answered) = (Arc::clone(notes), Arc::clone(notes));
    let (asking, answering) = (Arc::clone(&open), open);
    std::thread::spawn(move || {
        let mut requests = Requests::default();
        onward.pass(|bytes| {
            requests.take(bytes, |request| {
                let mut seen = asked.lock().unwrap();
                *asking.lock().unwrap() = Some(seen.len());
                seen.push(request);
            });
        });
    });
    std::thread::spawn(move || {
        back.pass(|bytes| {
            // The first bytes after a request are the status line of its answer.
            let Some(number) = answering.lock().unwrap().take() else { return };
            let line = String::from_utf8_lossy(&bytes[..bytes.len().min(12)]).into_owned();
            let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
            answered.lock().unwrap()[number].status = status.expect("an answer begins with its status");
        });
    });
    Ok(())
}

/// One direction of a connection.
struct Passage {
    from: TcpStream,
    to: TcpStream,
}

impl Passage {
    /// Passes bytes on after they were looked at. The end of one side is the end of the other.
    fn pass(mut self, mut look: impl FnMut(&[u8])) {
        let mut chunk = vec![0; 64 << 10];
        while let Ok(count @ 1..) = self.from.read(&mut chunk) {
            look(&chunk[..count]);
            if self.to.write_all(&chunk[..count]).is_err() {
                break;
            }
        }
        let _ = self.to.shutdown(Shutdown::Write);
        let _ = self.from.shutdown(Shutdown::Read);
    }
}

/// Takes requests out of a stream of bytes.
#[derive(Default)]
struct Requests {
    /// The head that has not ended yet.
    head: Vec<u8>,
    /// The request whose body comes in, and how much of it is still to come.
    body: Option<(Seen, usize)>,
}

impl Requests {
    /// A request is handed on with the last of its bytes, before these are passed on.
    fn take(&mut self, mut bytes: &[u8], mut note: impl FnMut(Seen)) {
        while !bytes.is_empty() || self.body.as_ref().is_some_and(|(_, left)| *left == 0) {
            let Some((mut request, left)) = self.body.take() else {
                bytes = self.take_head(bytes);
                continue;
            };
            let (part, rest) = bytes.split_at(left.min(bytes.len()));
            if request.method == "POST" {
                request.body.extend_from_slice(part);
            }
            bytes = rest;
            match left - part.len() {
                0 => note(request),
                left => self.body = Some((request, left)),
            }
        }
    }

    /// Answers what is left of the bytes behind the head.
    fn take_head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let Some(end) = self.head.windows(4).position(|window| window == b"\r\n\r\n") else { return &[] };
        let text = String::from_utf8_lossy(&self.head[..end]).into_owned();
        self.head.clear();
        let mut lines = text.lines();
        let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        assert!(!headers.contains_key("transfer-encoding"), "a request without its length: {text}");
        let length = headers.get("content-length").map_or(0, |length| length.parse().expect("a length"));
        self.body = Some((Seen { method, target, headers, body: Vec::new(), status: 0 }, length));
        &bytes[end + 4 - before..]
    }
}
