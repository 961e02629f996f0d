//! Time and randomness, as traits: a simulation gives its own.

use std::time::Duration;

use super::digest::hex;

/// The time.
#[async_trait::async_trait]
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
    /// Waits.
    async fn sleep(&self, ms: u64);
}

/// Randomness fit for keys.
pub trait Rng: Send + Sync {
    /// Fills a buffer.
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock;

#[async_trait::async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the rule is for synthesis; a service has to know the time"
    )]
    fn now_ms(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    async fn sleep(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// The operating system's randomness.
#[derive(Debug)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, bytes: &mut [u8]) {
        // It fails only where the operating system has no randomness, and then nothing may go on.
        assert!(aws_lc_rs::rand::fill(bytes).is_ok(), "the operating system gives no randomness");
    }
}

/// An identifier: a prefix, the time and 80 random bits, so that identifiers sort by when they were made.
#[must_use]
pub fn id(prefix: &str, clock: &dyn Clock, rng: &dyn Rng) -> String {
    let mut random = [0; 10];
    rng.fill(&mut random);
    format!("{prefix}_{:011x}{}", clock.now_ms(), letters(&hex(&random)))
}

/// Hexadecimal digits as the letters from a to p. An identifier with 13 digits in a row looks like a card number now and
/// then, and whoever asked for the thing would be refused.
#[must_use]
pub fn letters(hex: &str) -> String {
    hex.bytes()
        .map(|digit| if digit.is_ascii_digit() { digit - b'0' + b'a' } else { digit + 10 })
        .map(char::from)
        .collect()
}

/// A time as RFC 3339 in UTC, with microseconds.
#[must_use]
pub fn rfc3339(ms: u64) -> String {
    let (seconds, rest) = (ms / 1000, ms % 1000);
    let days = i32::try_from(seconds / 86_400).unwrap_or(i32::MAX);
    let date = crate::date::Date::from_days(days).unwrap_or_default();
    let of_day = seconds % 86_400;
    format!("{date}T{:02}:{:02}:{:02}.{rest:03}000Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pan;

    struct Unlucky;

    impl Rng for Unlucky {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0x11);
            bytes[0] = 0x41;
            bytes[8] = 0xab;
        }
    }

    #[test]
    fn no_identifier_looks_like_a_card_number() {
        let mut bytes = [0; 10];
        Unlucky.fill(&mut bytes);
        assert!(pan::scan(hex(&bytes).as_bytes()).is_some());
        let id = id("run", &SystemClock, &Unlucky);
        assert_eq!(pan::scan(id.as_bytes()), None, "{id}");
        assert_eq!(letters("0123456789abcdef"), "abcdefghijklmnop");
    }
}
