//! The way of the bytes: unpacked, turned into UTF-8, recognised, parsed.

use super::csv::{CsvParser, Table};
use super::encoding::{Encoding, Transcoder};
use super::gzip::Gunzip;
use super::mapping::Mapping;
use super::raw::RawParser;
use super::zip::{self, Unzip};
use super::{
    Collector, Format, Limits, Parser, ReadError, adyen, bai2, camt, coda, detect, mt940, nacha, ndjson, ofx,
    paypal, stripe, wise,
};
use crate::entry::{EntrySet, RawPlace};
use crate::pan;

/// How a file is to be read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The format, if it should not be recognised.
    pub format: Option<Format>,
    /// The columns of a CSV or NDJSON file, if the usual names do not do.
    pub mapping: Option<Mapping>,
    /// Whether amounts are turned round.
    pub negate: bool,
    /// Bounds.
    pub limits: Limits,
}

/// What was read.
#[derive(Debug)]
pub struct ReadReport {
    /// The format.
    pub format: Format,
    /// The character encoding.
    pub encoding: Encoding,
    /// Whether the file was packed, with gzip or in a ZIP archive.
    pub packed: bool,
    /// Size once unpacked, in bytes.
    pub bytes: u64,
    /// Entries, statements and remarks.
    pub collector: Collector,
}

/// Bytes that are gathered before the format is decided.
const HEAD_BYTES: usize = 64 << 10;

/// Packed bytes that are unpacked at a time, so that a bomb is noticed within a few mebibytes.
const PACKED_STEP_BYTES: usize = 4 << 10;

/// Reads one file from chunks of any size.
pub struct Reader {
    options: ReadOptions,
    collector: Collector,
    unpacker: Unpacker,
    head: Vec<u8>,
    stage: Option<Stage>,
    packed_bytes: u64,
    total_bytes: u64,
    fetch: Option<Vec<RawPlace>>,
}

enum Unpacker {
    /// Too few bytes have come yet.
    Undecided(Vec<u8>),
    Plain,
    Gzip(Box<Gunzip>),
    Zip(Box<Unzip>),
}

/// Everything behind the decision about format and encoding.
struct Stage {
    format: Format,
    encoding: Encoding,
    transcoder: Transcoder,
    parser: Box<dyn Parser + Send>,
    /// What the parser has not finished with.
    rest: Vec<u8>,
    /// Offset of the first byte of `rest` in the UTF-8 text.
    offset: u64,
    /// Its line, from 1.
    line: u64,
    scratch: Vec<u8>,
    carriage_returns_only: bool,
}

impl Reader {
    /// A reader for a file of this name. A name that holds a card number is reported as a finding on line 0.
    #[must_use]
    pub fn new(name: &str, options: ReadOptions) -> Self {
        let mut collector = Collector::for_file(name);
        if let Some(what) = pan::scan(name.as_bytes()) {
            collector = Collector::for_file("(name withheld)");
            collector.card(0, "file name", what);
        }
        collector.negate = options.negate;
        if let Some(mapping) = &options.mapping {
            collector.exempt.clone_from(&mapping.exempt);
            collector.zones.clone_from(&mapping.zones);
        }
        Self {
            options,
            collector,
            unpacker: Unpacker::Undecided(Vec::new()),
            head: Vec::new(),
            stage: None,
            packed_bytes: 0,
            total_bytes: 0,
            fetch: None,
        }
    }

    /// A reader that reads no entries and fetches these places of a file that was read before with the same options;
    /// they end up in [`Collector::raw`].
    #[must_use]
    pub fn fetch(name: &str, options: ReadOptions, places: Vec<RawPlace>) -> Self {
        Self { fetch: Some(places), ..Self::new(name, options) }
    }

    /// Makes room for the entries of a file of about this size; untouched pages cost no memory.
    pub fn expect_bytes(&mut self, bytes: u64) {
        let bytes = usize::try_from(bytes).unwrap_or(0).min(1 << 30);
        self.collector.entries.reserve(bytes / 32, bytes / 4);
    }

    /// Drops the entries that were read so far, and answers how many: for a caller who only wants a file checked, in
    /// memory that does not grow with it.
    pub fn forget_entries(&mut self) -> u64 {
        let name = self.collector.entries.files().first().map(|file| file.name.clone()).unwrap_or_default();
        let entries = std::mem::replace(&mut self.collector.entries, EntrySet::for_file(&name));
        entries.len() as u64
    }

    /// How many places hold card data, as far as the file was read. A record that has not ended yet was not looked at.
    #[must_use]
    pub fn cards_count(&self) -> u64 {
        self.collector.cards_count
    }

    /// Takes the next bytes of the file.
    ///
    /// # Errors
    /// Fails when a limit is passed or the file cannot be read at all; single bad rows do not fail.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), ReadError> {
        self.take(chunk).map_err(|error| self.gives_up(error))
    }

    /// What a file is refused for that cannot be read: card data, if some was found before.
    fn gives_up(&mut self, error: ReadError) -> ReadError {
        match self.collector.cards_count {
            0 => error,
            count => ReadError::Cards(count, std::mem::take(&mut self.collector.cards)),
        }
    }

    fn take(&mut self, chunk: &[u8]) -> Result<(), ReadError> {
        self.packed_bytes += chunk.len() as u64;
        if let Unpacker::Undecided(first) = &mut self.unpacker {
            first.extend_from_slice(chunk);
            let undecided = first.len() < zip::MAGIC.len() && zip::MAGIC.starts_with(first);
            return if undecided { Ok(()) } else { self.begin() };
        }
        self.packed(chunk)
    }

    /// Decides how the file is packed, and goes on with its first bytes.
    fn begin(&mut self) -> Result<(), ReadError> {
        let Unpacker::Undecided(first) = std::mem::replace(&mut self.unpacker, Unpacker::Plain) else {
            return Ok(());
        };
        if first.first() == Some(&0x1f) {
            self.unpacker = Unpacker::Gzip(Box::default());
        } else if first.starts_with(zip::MAGIC) {
            self.unpacker = Unpacker::Zip(Box::default());
        }
        self.packed(&first)
    }

    /// Takes bytes as they stand in the file.
    fn packed(&mut self, chunk: &[u8]) -> Result<(), ReadError> {
        if matches!(self.unpacker, Unpacker::Plain) {
            return self.unpacked(chunk);
        }
        for step in chunk.chunks(PACKED_STEP_BYTES) {
            let bytes = self.unpack(step)?;
            self.unpacked(&bytes)?;
        }
        Ok(())
    }

    fn unpack(&mut self, step: &[u8]) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        match &mut self.unpacker {
            Unpacker::Gzip(gunzip) => gunzip.push(step, &mut bytes, &mut self.collector)?,
            Unpacker::Zip(unzip) => unzip.push(step, &mut bytes, &mut self.collector)?,
            Unpacker::Undecided(_) | Unpacker::Plain => {}
        }
        Ok(bytes)
    }

    /// Takes unpacked bytes.
    fn unpacked(&mut self, chunk: &[u8]) -> Result<(), ReadError> {
        self.total_bytes += chunk.len() as u64;
        let Limits { total_bytes, ratio, .. } = self.options.limits;
        if self.total_bytes > total_bytes {
            return Err(ReadError::TooLarge { limit_bytes: total_bytes });
        }
        if self.total_bytes > 1 << 20 && self.total_bytes / ratio > self.packed_bytes {
            return Err(ReadError::Bomb { limit: ratio });
        }
        match &mut self.stage {
            Some(stage) => stage.push(chunk, false, &self.options.limits, &mut self.collector),
            None => {
                self.head.extend_from_slice(chunk);
                if self.head.len() >= HEAD_BYTES { self.decide(false) } else { Ok(()) }
            }
        }
    }

    /// Decides on encoding and format, and passes on what was gathered.
    fn decide(&mut self, last: bool) -> Result<(), ReadError> {
        let head = std::mem::take(&mut self.head);
        let declared = self.options.mapping.as_ref().and_then(|mapping| mapping.encoding);
        let encoding =
            declared.or_else(|| detect::xml_encoding(&head)).unwrap_or_else(|| Encoding::guess(&head));
        if let Some(why) = detect::unsupported(&head) {
            return Err(ReadError::Unsupported(why));
        }
        let mut text = Vec::new();
        Transcoder::new(encoding).push(&head, &mut text);
        let format = match self.options.format {
            Some(format) => format,
            None => match detect::detect(&text).ok_or(ReadError::Unrecognised)? {
                // Columns that are declared go before those that a report is known by.
                Format::Paypal | Format::Wise if self.maps_columns() => Format::Csv,
                format => format,
            },
        };
        let mut stage = Stage {
            format,
            encoding,
            transcoder: Transcoder::new(encoding),
            parser: match self.fetch.take() {
                Some(places) => Box::new(RawParser::new(places)),
                None => self.parser(format),
            },
            rest: Vec::new(),
            offset: 0,
            line: 1,
            scratch: Vec::new(),
            carriage_returns_only: memchr::memchr(b'\n', &text).is_none()
                && memchr::memchr(b'\r', &text).is_some(),
        };
        let result = stage.push(&head, last, &self.options.limits, &mut self.collector);
        self.stage = Some(stage);
        result
    }

    /// Whether the source declares its columns.
    fn maps_columns(&self) -> bool {
        self.options.mapping.as_ref().is_some_and(|mapping| !mapping.columns.is_empty())
    }

    fn parser(&self, format: Format) -> Box<dyn Parser + Send> {
        let mapping = || self.options.mapping.clone().unwrap_or_default();
        match format {
            Format::Csv => Box::new(CsvParser::mapped(mapping())),
            Format::Stripe => Box::new(CsvParser::report(Table::Stripe(stripe::Columns::default()))),
            Format::Adyen => Box::new(CsvParser::report(Table::Adyen(adyen::Columns::default()))),
            Format::Ndjson => Box::new(ndjson::NdjsonParser::new(mapping(), self.options.limits.depth)),
            Format::Camt => Box::new(camt::CamtParser::new(self.options.limits.depth)),
            Format::Mt940 => Box::new(mt940::Mt940Parser::new()),
            Format::Bai2 => Box::new(bai2::Bai2Parser::new()),
            Format::Nacha => Box::new(nacha::NachaParser::new()),
            Format::Ofx => Box::new(ofx::OfxParser::new()),
            Format::Paypal => {
                let report = (mapping(), paypal::Columns::default());
                Box::new(CsvParser::report(Table::Paypal(Box::new(report))))
            }
            Format::Wise => Box::new(CsvParser::report(Table::Wise(wise::Columns::default()))),
            Format::Coda => Box::new(coda::CodaParser::new()),
        }
    }

    /// Ends the file and hands over what was read.
    ///
    /// # Errors
    /// Fails when the file ends where it must not, or when it could not be read at all.
    pub fn finish(mut self) -> Result<ReadReport, ReadError> {
        let (stage, packed) = self.end().map_err(|error| self.gives_up(error))?;
        let mut collector = self.collector;
        collector.hold_currencies();
        collector.entries.set_rejected(collector.diagnostics.rejected_by_code());
        collector.entries.shrink();
        Ok(ReadReport {
            format: stage.format,
            encoding: stage.encoding,
            packed,
            bytes: self.total_bytes,
            collector,
        })
    }

    /// Reads what is left; answers the stage, and whether the file was packed.
    fn end(&mut self) -> Result<(Stage, bool), ReadError> {
        if matches!(self.unpacker, Unpacker::Undecided(_)) {
            self.begin()?;
        }
        let packed = match &mut self.unpacker {
            Unpacker::Gzip(gunzip) => {
                let bytes = gunzip.finish(&mut self.collector)?;
                self.unpacked(&bytes)?;
                true
            }
            Unpacker::Zip(unzip) => {
                unzip.finish(&mut self.collector)?;
                true
            }
            Unpacker::Undecided(_) | Unpacker::Plain => false,
        };
        if self.stage.is_none() {
            self.decide(true)?;
        }
        let Some(mut stage) = self.stage.take() else { return Err(ReadError::Unrecognised) };
        stage.push(&[], true, &self.options.limits, &mut self.collector)?;
        // What a parser has left over, it has not looked at.
        let rest = std::mem::take(&mut stage.rest);
        stage.screen_rest(&rest, &mut self.collector);
        stage.parser.finish(&mut self.collector)?;
        Ok((stage, packed))
    }
}

impl Stage {
    /// Screens what the parser is done with and has not screened itself.
    fn screen_rest(&mut self, used: &[u8], out: &mut Collector) {
        out.screen_rest(used, self.offset, self.line);
        self.line += memchr::memchr_iter(b'\n', used).count() as u64;
    }

    /// Passes bytes to the parser and keeps what it has not finished with.
    fn push(
        &mut self,
        chunk: &[u8],
        last: bool,
        limits: &Limits,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let text = if self.transcoder.is_identity() && !self.carriage_returns_only {
            chunk
        } else {
            self.transcoder.push(chunk, &mut scratch);
            if self.carriage_returns_only {
                scratch.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
            }
            &scratch[..]
        };
        let used = if self.rest.is_empty() {
            let used = self.parser.consume(text, self.offset, last, out)?;
            self.screen_rest(&text[..used], out);
            self.rest.extend_from_slice(&text[used..]);
            used
        } else {
            self.rest.extend_from_slice(text);
            let used = self.parser.consume(&self.rest, self.offset, last, out)?;
            let rest = std::mem::take(&mut self.rest);
            self.screen_rest(&rest[..used], out);
            self.rest = rest;
            self.rest.drain(..used);
            used
        };
        self.offset += used as u64;
        self.scratch = scratch;
        if self.rest.len() > limits.record_bytes {
            return Err(ReadError::RecordTooLong {
                line: self.parser.line(),
                limit_bytes: limits.record_bytes,
            });
        }
        Ok(())
    }
}
