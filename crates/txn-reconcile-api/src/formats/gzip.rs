//! Gzip files (RFC 1952), of one member or several, unpacked as their bytes come. A member's header may hold a name, a
//! comment and fields of its own, which are screened like everything that is stored.

use std::io::Write;

use flate2::write::GzDecoder;

use super::{Collector, ReadError};

/// Unpacks a file.
#[derive(Debug)]
pub(super) struct Gunzip {
    member: GzDecoder<Vec<u8>>,
    screened: bool,
}

impl Default for Gunzip {
    fn default() -> Self {
        Self { member: GzDecoder::new(Vec::new()), screened: false }
    }
}

impl Gunzip {
    /// Takes packed bytes and appends what they unpack to.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        out: &mut Vec<u8>,
        found: &mut Collector,
    ) -> Result<(), ReadError> {
        while !bytes.is_empty() {
            let used = self.member.write(bytes).map_err(|_| ReadError::Damaged)?;
            self.screen_header(found);
            if used == 0 {
                // The member has ended; another one follows.
                out.append(&mut self.finish(found)?);
                *self = Self::default();
            }
            bytes = &bytes[used..];
        }
        out.append(self.member.get_mut());
        Ok(())
    }

    /// Checks that the last member was whole, and hands over the end of what it unpacks to.
    pub fn finish(&mut self, found: &mut Collector) -> Result<Vec<u8>, ReadError> {
        self.member.try_finish().map_err(|_| ReadError::Damaged)?;
        self.screen_header(found);
        Ok(std::mem::take(self.member.get_mut()))
    }

    fn screen_header(&mut self, found: &mut Collector) {
        if let Some(header) = self.member.header().filter(|_| !self.screened) {
            self.screened = true;
            for (place, field) in [
                ("gzip file name", header.filename()),
                ("gzip comment", header.comment()),
                ("gzip extra field", header.extra()),
            ] {
                found.screen(0, place, field.unwrap_or_default());
            }
        }
    }
}
