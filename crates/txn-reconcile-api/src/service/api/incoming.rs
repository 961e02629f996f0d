//! A file on its way in, as the body of a request.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout};

use super::super::problem::Problem;

/// How long nothing may arrive.
const SILENCE: Duration = Duration::from_secs(30);

/// How long a body may be waited for in all: so long, and a second more for so many bytes that have arrived. Only a client
/// that is slower on purpose, or has no connection to speak of, is kept from holding a place for hours.
const PATIENCE: Duration = Duration::from_secs(60);
const BYTES_PER_SECOND_MIN: u64 = 8 << 10;

/// The body of a request, read as it arrives.
pub struct Incoming {
    body: BodyDataStream,
    /// Whether the client waits to be asked for it (`Expect: 100-continue`), which reading does.
    unasked: bool,
    ended: bool,
    arrived: u64,
    waited: Duration,
}

impl Incoming {
    pub fn new(body: Body, expects: bool) -> Self {
        Self {
            body: body.into_data_stream(),
            unasked: expects,
            ended: false,
            arrived: 0,
            waited: Duration::ZERO,
        }
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// Fails with 408 if it does not come in time, and with 400 if the body breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        if self.ended {
            return Ok(None);
        }
        self.unasked = false;
        // Only the waiting counts: what is done with the pieces is not the client's to answer for.
        let begun = Instant::now();
        let piece = timeout(SILENCE, self.body.next()).await;
        self.waited += begun.elapsed();
        self.ended = !matches!(piece, Ok(Some(Ok(_))));
        let piece = piece.map_err(|_| Problem::timeout("nothing arrived for 30 seconds"))?;
        let piece = piece.transpose().map_err(|_| Problem::bad_request("the body broke off"))?;
        self.arrived += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if self.waited > PATIENCE + Duration::from_secs(self.arrived / BYTES_PER_SECOND_MIN) {
            self.ended = true;
            return Err(Problem::timeout("the body arrives more slowly than 8 KiB a second"));
        }
        Ok(piece)
    }

    /// Reads on to the end, so that the client hears the answer: many listen only when they have sent everything. One that
    /// waits to be asked listens already. Beyond the limit it has to make do with a broken connection.
    pub async fn drain(&mut self, limit: u64) {
        while !self.unasked && self.arrived <= limit && matches!(self.next().await, Ok(Some(_))) {}
    }
}
