//! Runs. One is asked for ([`start`]), waits for its turn ([`queue`]) until a worker ([`worker`]) takes it up under a lease
//! ([`lease`]), and is made ([`make`]): its matches are kept ([`matches`]), and it goes on from the run before it of the
//! same sources ([`carry`]), remembering what was matched ([`matched_ids`]). Nothing here knows of HTTP.

mod carry;
mod lease;
mod make;
mod matched_ids;
pub mod matches;
pub mod queue;
pub mod start;
pub mod worker;
