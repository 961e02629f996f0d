//! Reading files for the engine, one thread each.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::progress::{Progress, Stage};
use super::{Failure, exit};
use crate::engine::Side;
use crate::entry::{EntrySet, RawPlace};
use crate::formats::{CardFinding, ReadError, ReadOptions, ReadReport, Reader};
use crate::rules::file::Sign;
use crate::rules::{Ruleset, SourceRules};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// A file and how to read it.
#[derive(Debug)]
pub struct Job {
    /// Where it is.
    pub path: PathBuf,
    /// How it is read.
    pub options: ReadOptions,
    /// Places to fetch instead of reading entries.
    pub fetch: Option<Vec<RawPlace>>,
}

impl Job {
    /// A file of one side of a ruleset.
    pub fn new(path: &Path, rules: &SourceRules) -> Self {
        let options = ReadOptions {
            format: rules.format,
            mapping: rules.mapping.clone(),
            negate: rules.sign == Sign::Negate,
            ..ReadOptions::default()
        };
        Self { path: path.to_owned(), options, fetch: None }
    }
}

/// The rules for a side.
pub fn rules_of(rules: &Ruleset, side: Side) -> &SourceRules {
    match side {
        Side::Left => &rules.left,
        Side::Right => &rules.right,
    }
}

/// The name of a file as reports show it.
fn shown(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Reads one file.
fn read(job: Job, progress: &Progress) -> Result<ReadReport, Failure> {
    let name = shown(&job.path);
    let withheld = crate::pan::scan(name.as_bytes()).is_some();
    let label = if withheld { "(name withheld)".to_owned() } else { job.path.display().to_string() };
    let fail = |message: String| Failure::new(exit::INPUT, format!("{label}: {message}"));
    let refuse = |error: ReadError| match error {
        ReadError::Cards(count, cards) => holds_cards(count, &places(&label, &cards)),
        error => fail(error.to_string()),
    };
    let mut file = File::open(&job.path).map_err(|error| fail(error.to_string()))?;
    let mut reader = match job.fetch {
        Some(places) => Reader::fetch(&name, job.options, places),
        None => {
            let mut reader = Reader::new(&name, job.options);
            reader.expect_bytes(file.metadata().map_or(0, |metadata| metadata.len()));
            reader
        }
    };
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = file.read(&mut chunk).map_err(|error| fail(error.to_string()))?;
        if length == 0 {
            break;
        }
        reader.push(&chunk[..length]).map_err(&refuse)?;
        progress.advance(length as u64);
    }
    reader.finish().map_err(&refuse)
}

/// Reads files side by side, and answers in their order.
pub fn read_all(jobs: Vec<Job>, threads: usize, progress: &Progress) -> Result<Vec<ReadReport>, Failure> {
    progress.stage(Stage::Reading);
    progress
        .expect(jobs.iter().filter_map(|job| job.path.metadata().ok()).map(|metadata| metadata.len()).sum());
    let next = AtomicUsize::new(0);
    let count = jobs.len();
    let jobs: Vec<Mutex<Option<Job>>> = jobs.into_iter().map(|job| Mutex::new(Some(job))).collect();
    let results: Vec<Mutex<Option<Result<ReadReport, Failure>>>> =
        (0..count).map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let (Some(job), Some(result)) = (jobs.get(index), results.get(index)) else { break };
                let job = job.lock().ok().and_then(|mut job| job.take());
                if let (Some(job), Ok(mut result)) = (job, result.lock()) {
                    *result = Some(read(job, progress));
                }
            }
        };
        let helpers: Vec<_> = (1..threads.min(count)).map(|_| scope.spawn(work)).collect();
        work();
        for helper in helpers {
            if let Err(panic) = helper.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    let missing = || Err(Failure::new(exit::BUG, "a file was not read"));
    results.into_iter().map(|result| result.into_inner().ok().flatten().unwrap_or_else(missing)).collect()
}

/// Refuses inputs that hold card data, naming every place and no value.
pub fn refuse_cards(reports: &[ReadReport]) -> Result<(), Failure> {
    let mut message = String::new();
    let mut count = 0;
    for report in reports {
        count += report.collector.cards_count;
        let file =
            report.collector.entries.files().first().map(|file| file.name.as_str()).unwrap_or_default();
        message.push_str(&places(file, &report.collector.cards));
    }
    if count == 0 { Ok(()) } else { Err(holds_cards(count, &message)) }
}

fn places(file: &str, cards: &[CardFinding]) -> String {
    let place = |card: &CardFinding| {
        let column = match &*card.column {
            "" => String::new(),
            column => format!(", column \"{column}\""),
        };
        format!("\n  {file}: line {}{column}: {}", card.line, card.what.name())
    };
    cards.iter().map(place).collect()
}

fn holds_cards(count: u64, places: &str) -> Failure {
    Failure::new(
        exit::CARD_DATA,
        format!(
            "card data in {count} place(s); remove it from the source, or exempt the column with a reason (card_exempt in \
             the ruleset) if its numbers are something else{places}"
        ),
    )
}

/// Joins what was read from several files into one side.
pub fn join(reports: Vec<ReadReport>) -> Result<EntrySet, Failure> {
    let mut all = EntrySet::default();
    for report in reports {
        all.append(report.collector.entries).map_err(|full| Failure::new(exit::INPUT, full.to_string()))?;
    }
    Ok(all)
}
