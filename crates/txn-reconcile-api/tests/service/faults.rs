//! A world in which everything fails that a process works on: the store, the files, the clock and the process itself.
//! All chance comes from one seed, and of two processes one goes on at a time, so that a seed replays to the last call.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use contract::Bucket;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, UploadPart,
};
use tokio::sync::Notify;
use txn_reconcile_api::service::App;
use txn_reconcile_api::service::clock::{Clock, Rng};
use txn_reconcile_api::service::store::embedded::EmbeddedStore;
use txn_reconcile_api::service::store::{AuditEntry, Item, Key, Query, Store, StoreError, Write};

use super::backends::app;
use super::calls::{self, Calls};

/// The one source of chance (SplitMix64).
pub struct Chance(Mutex<u64>);

impl Chance {
    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = *state;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    pub fn below(&self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }
}

impl Rng for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| (self.next() >> 32) as u8);
    }
}

contract::closed_list! {
    /// What goes wrong.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Fault {
        /// The call is refused, and nothing is done.
        Throttled,
        /// It is done, and nobody hears of it.
        LostAnswer,
        /// The index of what is due shows what it showed before.
        Lagging,
        /// The object breaks off while it is read.
        BrokenRead,
        /// The process ends where it stands.
        Crash,
        /// Its clock jumps, forward or back.
        Jump,
    }
}

/// What a process calls that may fail.
const CALLS: [&str; 11] = [
    "get",
    "query",
    "list_due",
    "transact",
    "put",
    "put_multipart",
    "put part",
    "complete",
    "get object",
    "read",
    "list",
];

/// Of how many of the sore calls one fails in each way.
const SORE: u64 = 4;

/// How far a clock may be from the true time, in milliseconds: three leases.
const SKEW_MS: u64 = 90_000;

/// What all processes share, and what is left when one ends.
pub struct World {
    pub store: EmbeddedStore,
    files: Arc<calls::Files>,
    anchors: Arc<calls::Files>,
    pub chance: Arc<Chance>,
    now: AtomicU64,
    /// Of how many calls one fails in each way: drawn for each seed, so that the weather differs.
    one_in: BTreeMap<Fault, u64>,
    /// The call that fails more often than others.
    sore: &'static str,
    /// Of how many calls one leaves the turn to the other process.
    turns: u64,
    /// Faults that may still come. Work comes to an end only if faults do.
    budget: AtomicI64,
    injected: Mutex<BTreeMap<Fault, u64>>,
    due_before: Mutex<BTreeMap<String, Vec<Item>>>,
    /// Which of two processes goes on; whether there are two.
    turn: AtomicUsize,
    two: AtomicBool,
    moved: Notify,
    /// A hash over every call, in order, and what became of it.
    trace: Mutex<DefaultHasher>,
    /// What befalls one call, and how many others come before it.
    once: Mutex<Option<(Fault, &'static str, u64)>>,
    /// Whether the store or the files are out: every call fails, whatever else is allowed.
    pub store_out: AtomicBool,
    pub files_out: AtomicBool,
    /// How long each piece of a file takes to come, in milliseconds.
    pub slow_ms: AtomicU64,
}

/// How long a call of the files lasts that are out: a client asks again and again before it says so.
const OUT: Duration = Duration::from_secs(120);

impl World {
    /// The files have been kept for as long as the bucket keeps them.
    pub async fn expire_files(&self) {
        self.files.expire().await;
    }

    pub fn new(seed: u64) -> Arc<Self> {
        let chance = Arc::new(Chance(Mutex::new(seed)));
        let mut draw = |fault| (fault, 12 + chance.below(90));
        let one_in = Fault::ALL.into_iter().map(&mut draw).collect();
        let sore = CALLS[usize::try_from(chance.below(CALLS.len() as u64)).unwrap()];
        Arc::new(Self {
            store: EmbeddedStore::in_memory().unwrap(),
            files: Arc::new(calls::Files::new(Bucket::Statements, &Calls::default())),
            anchors: Arc::new(calls::Files::new(Bucket::Audit, &Calls::default())),
            now: AtomicU64::new(1_790_000_000_000),
            one_in,
            sore,
            turns: 2 + chance.below(20),
            budget: AtomicI64::new(0),
            injected: Mutex::default(),
            due_before: Mutex::default(),
            turn: AtomicUsize::new(0),
            two: AtomicBool::new(false),
            moved: Notify::new(),
            trace: Mutex::default(),
            once: Mutex::default(),
            store_out: AtomicBool::new(false),
            files_out: AtomicBool::new(false),
            slow_ms: AtomicU64::new(0),
            chance,
        })
    }

    /// Lets as many faults come from now on.
    pub fn allow(&self, faults: i64) {
        self.budget.store(faults, Ordering::Relaxed);
    }

    /// Lets one call fail, after so many others that could, of those of a name if there is one: [`Fault::Throttled`],
    /// [`Fault::LostAnswer`].
    pub fn fail_once(&self, fault: Fault, call: &'static str, after: u64) {
        *self.once.lock().unwrap() = Some((fault, call, after));
    }

    /// Takes back the failure of [`Self::fail_once`]; answers whether it has come.
    pub fn has_failed(&self) -> bool {
        self.once.lock().unwrap().take().is_none()
    }

    fn fails_now(&self, fault: Fault, call: &str) -> bool {
        let mut once = self.once.lock().unwrap();
        let Some((of, name, after)) = &mut *once else { return false };
        if *of != fault || !name.is_empty() && *name != call {
            return false;
        }
        let now = *after == 0;
        if now {
            *once = None;
        } else {
            *after -= 1;
        }
        now
    }

    pub fn pass_time(&self, ms: u64) {
        self.now.fetch_add(ms, Ordering::Relaxed);
    }

    pub fn injected(&self) -> BTreeMap<Fault, u64> {
        self.injected.lock().unwrap().clone()
    }

    /// What has happened, as a number.
    pub fn trace(&self) -> u64 {
        self.trace.lock().unwrap().finish()
    }

    fn strikes(&self, fault: Fault, call: &str) -> bool {
        if self.fails_now(fault, call) {
            return true;
        }
        let one_in = if call == self.sore { SORE } else { self.one_in[&fault] };
        let strikes = self.budget.load(Ordering::Relaxed) > 0 && self.chance.one_in(one_in);
        if strikes {
            self.note(fault);
        }
        strikes
    }

    fn note(&self, fault: Fault) {
        self.budget.fetch_sub(1, Ordering::Relaxed);
        *self.injected.lock().unwrap().entry(fault).or_default() += 1;
        fault.hash(&mut *self.trace.lock().unwrap());
    }

    /// Lets two go on at the same time, a call of the one and then some of the other.
    pub async fn both<A, B>(
        &self,
        first: impl Future<Output = A>,
        second: impl Future<Output = B>,
    ) -> (A, B) {
        self.turn.store(usize::from(self.chance.one_in(2)), Ordering::Relaxed);
        self.two.store(true, Ordering::Relaxed);
        tokio::join!(self.until_the_end(0, first), self.until_the_end(1, second))
    }

    async fn until_the_end<T>(&self, number: usize, work: impl Future<Output = T>) -> T {
        self.wait(number).await;
        let done = work.await;
        self.two.store(false, Ordering::Relaxed);
        self.moved.notify_waiters();
        done
    }

    async fn wait(&self, number: usize) {
        loop {
            let moved = self.moved.notified();
            if !self.two.load(Ordering::Relaxed) || self.turn.load(Ordering::Relaxed) == number {
                return;
            }
            moved.await;
        }
    }

    /// Starts a process over what is there. It crashes after so many calls, if faults are allowed.
    pub fn start(self: &Arc<Self>, number: usize, calls: i64) -> (Arc<App>, Arc<Process>) {
        self.process(number, calls, false)
    }

    /// Starts a process that crashes after so many calls, whatever is allowed.
    pub fn doomed(self: &Arc<Self>, calls: i64) -> (Arc<App>, Arc<Process>) {
        self.process(0, calls, true)
    }

    fn process(self: &Arc<Self>, number: usize, calls: i64, doomed: bool) -> (Arc<App>, Arc<Process>) {
        let process = Arc::new(Process {
            world: Arc::clone(self),
            number,
            left: AtomicI64::new(calls),
            doomed,
            crashed: Notify::new(),
            skew: AtomicU64::new(SKEW_MS),
        });
        let mut started = Arc::into_inner(app(process.clone())).unwrap();
        started.files = Arc::new(Files { process: process.clone(), inner: self.files.clone() });
        started.anchors = Arc::new(Files { process: process.clone(), inner: self.anchors.clone() });
        started.clock = process.clone();
        started.rng = self.chance.clone();
        (Arc::new(started), process)
    }

    /// A process that nothing happens to while no faults are allowed.
    pub fn calm(self: &Arc<Self>) -> Arc<App> {
        self.start(0, i64::MAX).0
    }
}

/// A process: what it calls goes through here.
pub struct Process {
    world: Arc<World>,
    number: usize,
    /// Calls until it crashes, if faults are allowed or it is doomed.
    left: AtomicI64,
    doomed: bool,
    crashed: Notify,
    /// How far its clock is ahead, and [`SKEW_MS`] more.
    skew: AtomicU64,
}

impl Process {
    /// Until it ends; none if it crashed.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.crashed.notified() => None,
        }
    }

    async fn may_crash(&self) {
        let allowed = self.doomed || self.world.budget.load(Ordering::Relaxed) > 0;
        if self.left.fetch_sub(1, Ordering::Relaxed) <= 0 && allowed {
            self.world.note(Fault::Crash);
            self.crashed.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// What comes before a call of the files.
    async fn before_file(&self, call: &'static str) -> object_store::Result<()> {
        if self.world.files_out.load(Ordering::Relaxed) {
            tokio::time::sleep(OUT).await;
            return Err(generic("out"));
        }
        self.before(call).await.map_err(generic)
    }

    /// What comes before a call of the store.
    async fn before_store(&self, call: &'static str) -> Result<(), StoreError> {
        if self.world.store_out.load(Ordering::Relaxed) {
            return Err(unavailable("out"));
        }
        self.before(call).await.map_err(unavailable)
    }

    /// What comes before a call: the turn of the other process, a crash, a failure or nothing.
    async fn before(&self, call: &'static str) -> Result<(), &'static str> {
        let world = &self.world;
        if world.two.load(Ordering::Relaxed) && world.chance.one_in(world.turns) {
            world.turn.store(1 - self.number, Ordering::Relaxed);
            world.moved.notify_waiters();
        }
        world.wait(self.number).await;
        (self.number, call).hash(&mut *world.trace.lock().unwrap());
        self.may_crash().await;
        if world.strikes(Fault::Throttled, call) { Err("throttled") } else { Ok(()) }
    }

    /// What comes after a call that has changed something.
    async fn after(&self, call: &'static str) -> Result<(), &'static str> {
        self.may_crash().await;
        if self.world.strikes(Fault::LostAnswer, call) { Err("timed out") } else { Ok(()) }
    }
}

#[async_trait::async_trait]
impl Clock for Process {
    fn now_ms(&self) -> u64 {
        if self.world.strikes(Fault::Jump, "clock") {
            self.skew.store(self.world.chance.below(2 * SKEW_MS), Ordering::Relaxed);
        }
        // Each look takes a moment, so that identifiers differ.
        self.world.now.fetch_add(1, Ordering::Relaxed) + self.skew.load(Ordering::Relaxed) - SKEW_MS
    }

    async fn sleep(&self, ms: u64) {
        if ms >= 10_000 {
            // A lease to be renewed while the engine computes, which is over first.
            std::future::pending::<()>().await;
        }
        self.world.pass_time(ms);
    }
}

fn unavailable(why: &'static str) -> StoreError {
    StoreError::Unavailable(why.into())
}

#[async_trait::async_trait]
impl Store for Process {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.before_store("get").await?;
        self.world.store.get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        self.before_store("query").await?;
        self.world.store.query(query).await
    }

    async fn list_due(&self, queue: &str, before: u64, limit: usize) -> Result<Vec<Item>, StoreError> {
        self.before_store("list_due").await?;
        if self.world.strikes(Fault::Lagging, "list_due") {
            return Ok(self.world.due_before.lock().unwrap().get(queue).cloned().unwrap_or_default());
        }
        let due = self.world.store.list_due(queue, before, limit).await?;
        self.world.due_before.lock().unwrap().insert(queue.to_owned(), due.clone());
        Ok(due)
    }

    async fn transact(&self, writes: Vec<Write>, audit: Option<AuditEntry>) -> Result<(), StoreError> {
        self.before_store("transact").await?;
        self.world.store.transact(writes, audit).await?;
        self.after("transact").await.map_err(unavailable)
    }

    async fn audit(&self, chain: &str, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.before_store("audit").await?;
        self.world.store.audit(chain, from, limit).await
    }

    async fn expire(&self, before: u64, limit: usize) -> Result<usize, StoreError> {
        self.before_store("expire").await?;
        self.world.store.expire(before, limit).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.before_store("ready").await
    }
}

fn generic(why: &'static str) -> object_store::Error {
    object_store::Error::Generic { store: "simulated", source: why.into() }
}

/// A file store as a process sees it. An object is there as a whole or not at all, as S3 and a folder have it.
struct Files {
    process: Arc<Process>,
    inner: Arc<calls::Files>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Files")
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Files")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Files {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.process.before_file("put").await?;
        // It takes a moment, so that progress is kept between two of them.
        self.process.world.pass_time(250);
        let put = self.inner.put_opts(path, payload, options).await?;
        self.process.after("put").await.map_err(generic)?;
        Ok(put)
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.process.before_file("put_multipart").await?;
        let inner = self.inner.put_multipart_opts(path, options).await?;
        Ok(Box::new(Parts { process: self.process.clone(), inner }))
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.process.before_file("get object").await?;
        let mut found = self.inner.get_opts(path, options).await?;
        let GetResultPayload::Stream(whole) = found.payload else { panic!("memory gives a stream") };
        let process = self.process.clone();
        let pieces = whole.map_ok(|bytes| {
            let pieces: Vec<_> = bytes.chunks(200).map(Bytes::copy_from_slice).map(Ok).collect();
            stream::iter(pieces)
        });
        let pieces = pieces.try_flatten().and_then(move |piece| {
            let process = process.clone();
            async move {
                process.before_file("read").await?;
                process.world.pass_time(process.world.slow_ms.load(Ordering::Relaxed));
                let broken = process.world.strikes(Fault::BrokenRead, "read");
                if broken { Err(generic("broken off")) } else { Ok(piece) }
            }
        });
        found.payload = GetResultPayload::Stream(pieces.boxed());
        Ok(found)
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        let process = self.process.clone();
        let passed = paths.and_then(move |path| {
            let process = process.clone();
            async move { process.before_file("delete").await.map(|()| path) }
        });
        self.inner.delete_stream(passed.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        let (process, inner, prefix) = (self.process.clone(), self.inner.clone(), prefix.cloned());
        let asked = stream::once(async move { process.before_file("list").await });
        asked.map_ok(move |()| inner.list(prefix.as_ref())).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.process.before_file("list").await?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> object_store::Result<()> {
        self.process.before_file("copy").await?;
        self.inner.copy_opts(from, to, options).await
    }
}

/// An upload in parts, of which nothing is there until it is completed.
struct Parts {
    process: Arc<Process>,
    inner: Box<dyn MultipartUpload>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts")
    }
}

#[async_trait::async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (process, part) = (self.process.clone(), self.inner.put_part(data));
        Box::pin(async move {
            process.before_file("put part").await?;
            part.await?;
            process.after("put part").await.map_err(generic)
        })
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        self.process.before_file("complete").await?;
        let put = self.inner.complete().await?;
        self.process.after("complete").await.map_err(generic)?;
        Ok(put)
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.process.before_file("abort").await?;
        self.inner.abort().await
    }
}
