//! ZIP archives that hold one file, unpacked as their bytes come (PKWARE APPNOTE 6.3.10, sections 4.3 to 4.4).

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::detect::SPREADSHEET;
use super::{Collector, ReadError};

/// What the first file of an archive begins with.
pub(super) const MAGIC: &[u8; 4] = b"PK\x03\x04";

/// What the list of an archive's files begins with, and the end of that list.
const LIST: &[u8; 4] = b"PK\x01\x02";
const LIST_END: &[u8; 4] = b"PK\x05\x06";

/// Length of the end of the list without its comment.
const LIST_END_BYTES: usize = 22;

/// Bytes behind a file at most: its entry in the list and the end of the list have names, comments and extra fields of
/// 64 KiB each.
const TAIL_BYTES_MAX: usize = 512 << 10;

/// What the names of the parts of a spreadsheet begin with (ECMA-376 part 2; those of OpenDocument begin with `mimetype`).
const PARTS: [&[u8]; 4] = [b"[Content_Types].xml", b"_rels/", b"docProps/", b"xl/"];

/// Length of a local header without name and extra field.
const HEADER_BYTES: usize = 30;

/// Lengths of a file's data descriptor, which stands behind it in some archives.
const DESCRIPTOR_BYTES: [usize; 5] = [0, 12, 16, 20, 24];

/// Bytes that are unpacked at a time.
const STEP_BYTES: usize = 64 << 10;

/// Why an archive with something appended is refused: nobody would see it who unpacks the archive.
const BEHIND: ReadError = ReadError::Archive("bytes stand behind the archive; send the archive alone");

/// Unpacks an archive.
#[derive(Debug, Default)]
pub(super) struct Unzip {
    held: Vec<u8>,
    body: Body,
    crc: Crc,
    /// The checksum that the header states; none if it follows the data.
    stated_crc: Option<u32>,
}

#[derive(Debug, Default)]
enum Body {
    #[default]
    Header,
    Stored {
        left: u64,
    },
    Deflated(Box<Decompress>),
    Done,
}

impl Unzip {
    /// Takes packed bytes and appends what they unpack to.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>, found: &mut Collector) -> Result<(), ReadError> {
        self.held.extend_from_slice(bytes);
        let from = out.len();
        if matches!(self.body, Body::Header) && !self.header(found)? {
            return Ok(());
        }
        let used = match &mut self.body {
            Body::Header => 0,
            Body::Stored { left } => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(self.held.len());
                out.extend_from_slice(&self.held[..length]);
                *left -= length as u64;
                if *left == 0 {
                    self.body = Body::Done;
                }
                length
            }
            Body::Deflated(decompress) => {
                let before = decompress.total_in();
                loop {
                    let used = (decompress.total_in() - before) as usize;
                    out.reserve(STEP_BYTES);
                    let length = out.len();
                    let status = decompress
                        .decompress_vec(&self.held[used..], out, FlushDecompress::None)
                        .map_err(|_| ReadError::Damaged)?;
                    if status == Status::StreamEnd {
                        let used = (decompress.total_in() - before) as usize;
                        self.body = Body::Done;
                        break used;
                    }
                    let now = (decompress.total_in() - before) as usize;
                    if out.len() == length && now == used {
                        break now;
                    }
                }
            }
            Body::Done => 0,
        };
        self.held.drain(..used);
        self.crc.update(&out[from..]);
        if matches!(self.body, Body::Done) {
            if DESCRIPTOR_BYTES.iter().any(|at| self.held.get(*at..).is_some_and(|b| b.starts_with(MAGIC))) {
                return Err(ReadError::Archive("the archive holds several files; unpack it and name each"));
            }
            if self.held.len() > TAIL_BYTES_MAX {
                return Err(BEHIND);
            }
        }
        Ok(())
    }

    /// Reads the local header; false while it is not whole.
    fn header(&mut self, found: &mut Collector) -> Result<bool, ReadError> {
        let short =
            |at: usize| self.held.get(at..at + 2).map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
        let long = |at: usize| u32::from(short(at)) | u32::from(short(at + 2)) << 16;
        let length = HEADER_BYTES + usize::from(short(26)) + usize::from(short(28));
        if self.held.len() < HEADER_BYTES || self.held.len() < length {
            return Ok(false);
        }
        let name = &self.held[HEADER_BYTES..HEADER_BYTES + usize::from(short(26))];
        if name == b"mimetype" || PARTS.iter().any(|part| name.starts_with(part)) {
            return Err(ReadError::Unsupported(SPREADSHEET));
        }
        let (flags, method, crc, size) = (short(6), short(8), long(14), u64::from(long(18)));
        if flags & 1 != 0 {
            return Err(ReadError::Archive("the archive is encrypted; decrypt it first"));
        }
        let follows = flags & 8 != 0;
        self.body = match method {
            0 if !follows => Body::Stored { left: size },
            8 => Body::Deflated(Box::new(Decompress::new(false))),
            _ => return Err(ReadError::Archive("the archive is packed in a way that is not supported")),
        };
        self.stated_crc = (!follows).then_some(crc);
        found.screen(0, "zip header", &self.held[HEADER_BYTES..length]);
        self.held.drain(..length);
        Ok(true)
    }

    /// Checks that the file in the archive was whole and the only one, and that nothing stands behind the archive.
    pub fn finish(&self, found: &mut Collector) -> Result<(), ReadError> {
        found.screen(0, "zip archive's list", &self.held);
        let stated = self.stated_crc.or_else(|| match self.held.get(..8) {
            Some([b'P', b'K', 7, 8, crc @ ..]) => Some(u32::from_le_bytes([crc[0], crc[1], crc[2], crc[3]])),
            Some(crc) => Some(u32::from_le_bytes([crc[0], crc[1], crc[2], crc[3]])),
            None => None,
        });
        let whole = matches!(self.body, Body::Done) && stated == Some(self.crc.sum());
        let at = memchr::memmem::find(&self.held, LIST_END).ok_or(ReadError::Damaged)?;
        let listed = |at: &usize| self.held.get(*at..).is_some_and(|bytes| bytes.starts_with(LIST));
        let short = |at: usize| self.held.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
        let (Some(files), Some(comment)) = (short(at + 10), short(at + LIST_END_BYTES - 2)) else {
            return Err(ReadError::Damaged);
        };
        if !whole || files != 1 || !DESCRIPTOR_BYTES.iter().any(listed) {
            return Err(ReadError::Damaged);
        }
        if self.held.len() == at + LIST_END_BYTES + usize::from(comment) { Ok(()) } else { Err(BEHIND) }
    }
}
