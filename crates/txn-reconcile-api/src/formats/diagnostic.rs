//! What a parser has to say about single rows, and what makes it give up on a file.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::Format;
use crate::entry::text::TextFull;
use crate::pan::CardData;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The row was read; something about it is worth a look.
    Warning,
    /// The row was refused.
    Rejected,
}

/// A remark about one row. It never repeats a value of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Line of the file, from 1.
    pub line: u64,
    /// Column, tag or field, where it can be told.
    pub column: String,
    /// A stable name for the kind of remark.
    pub code: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

/// The remarks of a file: all of them counted, the first of them kept.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    kept: Vec<Diagnostic>,
    counts: BTreeMap<(Severity, &'static str), u64>,
}

/// Remarks that are kept word for word; beyond them rows are only counted.
pub const KEPT_MAX: usize = 1_000;

impl Diagnostics {
    /// Adds a remark.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        *self.counts.entry((diagnostic.severity, diagnostic.code)).or_default() += 1;
        if self.kept.len() < KEPT_MAX {
            self.kept.push(diagnostic);
        }
    }

    /// The first remarks, in the order of the file.
    #[must_use]
    pub fn kept(&self) -> &[Diagnostic] {
        &self.kept
    }

    /// How many remarks of each kind there are.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<(Severity, &'static str), u64> {
        &self.counts
    }

    /// How many rows were refused, by the code of the remark.
    #[must_use]
    pub fn rejected_by_code(&self) -> BTreeMap<&'static str, u64> {
        let rejected = self.counts.iter().filter(|((severity, _), _)| *severity == Severity::Rejected);
        rejected.map(|((_, code), count)| (*code, *count)).collect()
    }

    /// How many rows were refused.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected_by_code().values().sum()
    }
}

/// Card data and where it stands; the value itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CardFinding {
    /// Line of the file, from 1; 0 for the file's name.
    pub line: u64,
    /// Column, tag or field.
    pub column: String,
    /// What was found.
    #[serde(serialize_with = "card_name")]
    pub what: CardData,
}

fn card_name<S: serde::Serializer>(what: &CardData, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(what.name())
}

/// Why a file cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The content is of no format that is known.
    Unrecognised,
    /// The content is not of the format that was asked for.
    Malformed {
        /// Line of the file, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// A single record is longer than the limit.
    RecordTooLong {
        /// Line where it starts.
        line: u64,
        /// The limit in bytes.
        limit_bytes: usize,
    },
    /// Elements or objects are nested deeper than the limit.
    TooDeep {
        /// Line where the limit was passed.
        line: u64,
        /// The limit.
        limit: usize,
    },
    /// The file, or what it unpacks to, is larger than the limit.
    TooLarge {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The file unpacks to suspiciously many times its size.
    Bomb {
        /// The limit, as a ratio.
        limit: u64,
    },
    /// A document type definition; entities could be declared in it.
    Dtd {
        /// Line of the declaration.
        line: u64,
    },
    /// The compressed stream is damaged.
    Damaged,
    /// Something that is no file of entries, with the way round it.
    Unsupported(&'static str),
    /// The archive cannot be unpacked here.
    Archive(&'static str),
    /// The columns that are needed are not there.
    Columns(String),
    /// More text than a side can hold.
    Full(TextFull),
    /// Card data was found before the file turned out to be unreadable: how many places, and the first of them.
    Cards(u64, Vec<CardFinding>),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unrecognised => {
                let names = Format::ALL.map(Format::name).join(", ");
                write!(f, "the format is not recognised; name it ({names})")
            }
            Self::Unsupported(message) => f.write_str(message),
            Self::Malformed { line, message } => write!(f, "line {line}: {message}"),
            Self::RecordTooLong { line, limit_bytes } => {
                write!(f, "line {line}: a record is longer than {limit_bytes} bytes")
            }
            Self::TooDeep { line, limit } => write!(f, "line {line}: nested deeper than {limit} levels"),
            Self::TooLarge { limit_bytes } => write!(f, "larger than {limit_bytes} bytes once unpacked"),
            Self::Bomb { limit } => write!(f, "unpacks to more than {limit} times its size"),
            Self::Dtd { line } => write!(f, "line {line}: a document type definition is not accepted"),
            Self::Damaged => f.write_str("the compressed stream is damaged or cut short"),
            Self::Archive(message) => f.write_str(message),
            Self::Columns(message) => f.write_str(message),
            Self::Full(full) => full.fmt(f),
            Self::Cards(count, _) => write!(f, "card data in {count} place(s)"),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<TextFull> for ReadError {
    fn from(full: TextFull) -> Self {
        Self::Full(full)
    }
}
