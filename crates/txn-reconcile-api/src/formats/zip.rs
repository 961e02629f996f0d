//! ZIP archives that hold one file, unpacked as their bytes come (PKWARE APPNOTE 6.3.10, sections 4.3 to 4.4).

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::ReadError;

/// What the first file of an archive begins with.
pub(super) const MAGIC: &[u8; 4] = b"PK\x03\x04";

/// Length of a local header without name and extra field.
const HEADER_BYTES: usize = 30;

/// Bytes behind a file in which the next header would begin: its data descriptor has at most 24.
const TAIL_BYTES: usize = 24 + MAGIC.len();

/// Bytes that are unpacked at a time.
const STEP_BYTES: usize = 64 << 10;

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
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ReadError> {
        self.held.extend_from_slice(bytes);
        let from = out.len();
        if matches!(self.body, Body::Header) && !self.header()? {
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
            if self.held.windows(MAGIC.len()).take(TAIL_BYTES - MAGIC.len() + 1).any(|bytes| bytes == MAGIC) {
                return Err(ReadError::Archive("the archive holds several files; unpack it and name each"));
            }
            self.held.truncate(TAIL_BYTES);
        }
        Ok(())
    }

    /// Reads the local header; false while it is not whole.
    fn header(&mut self) -> Result<bool, ReadError> {
        let short =
            |at: usize| self.held.get(at..at + 2).map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
        let long = |at: usize| u32::from(short(at)) | u32::from(short(at + 2)) << 16;
        let length = HEADER_BYTES + usize::from(short(26)) + usize::from(short(28));
        if self.held.len() < HEADER_BYTES || self.held.len() < length {
            return Ok(false);
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
        self.held.drain(..length);
        Ok(true)
    }

    /// Checks that the file in the archive was whole.
    pub fn finish(&self) -> Result<(), ReadError> {
        let stated = self.stated_crc.or_else(|| match self.held.get(..8) {
            Some([b'P', b'K', 7, 8, crc @ ..]) => Some(u32::from_le_bytes([crc[0], crc[1], crc[2], crc[3]])),
            Some(crc) => Some(u32::from_le_bytes([crc[0], crc[1], crc[2], crc[3]])),
            None => None,
        });
        let whole = matches!(self.body, Body::Done) && stated == Some(self.crc.sum());
        if whole { Ok(()) } else { Err(ReadError::Damaged) }
    }
}
