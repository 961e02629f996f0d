//! The issuer's keys: of a file, or of an address that is asked at the start, now and then, and when a token names a
//! key that is not known yet.
//!
//! An issuer that does not answer costs nothing at once: the keys that were had last go on counting for
//! [`KEPT`]. Until the first ones were had the service is not ready, so that a deployment with a wrong address is rolled
//! back while the tasks before it go on.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyOperations, PublicKeyUse};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::problem::Problem;

/// The algorithms that a JSON Web Token may be signed with: none with a shared secret, and never `none`.
pub const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256, Algorithm::RS256];

/// How often the keys are asked for while all is well.
const REFRESH: Duration = Duration::from_secs(600);

/// How long to wait after the first failure; doubled after each further one, up to [`REFRESH`].
const RETRY: Duration = Duration::from_secs(5);

/// How often a key that is not known may have the address asked: a caller can make such tokens as it likes.
const UNKNOWN: Duration = Duration::from_secs(30);

/// How long keys count that could not be had again: longer than any token lives, so that an issuer's outage stops
/// nobody, and short enough that a key which the issuer has withdrawn does not live on where it cannot be reached.
pub const KEPT: Duration = Duration::from_secs(86_400);

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of an answer at most; sets of keys have some thousand.
const BYTES_MAX: usize = 256 << 10;

/// Keys of a set at most.
const KEYS_MAX: usize = 100;

/// The keys of one issuer.
pub struct Keys {
    address: Option<Address>,
    held: RwLock<Option<Fetched>>,
}

struct Fetched {
    keys: Vec<Jwk>,
    at: Instant,
}

struct Address {
    url: reqwest::Url,
    client: reqwest::Client,
    /// When it was asked last. Whoever holds it is asking.
    asked: Mutex<Option<Instant>>,
}

/// The keys that a token may be signed with. Others, and those of a kind that is not known, are left out: an issuer may
/// publish keys for other purposes beside them.
fn usable(text: &[u8]) -> Result<Vec<Jwk>, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set = serde_json::from_slice(text).map_err(|_| "it is no JWK Set".to_owned())?;
    if set.keys.len() > KEYS_MAX {
        return Err(format!("it has more than {KEYS_MAX} keys"));
    }
    let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
    let keys: Vec<Jwk> = keys.filter(signs).collect();
    if keys.is_empty() { Err("it has no key that a token may be signed with".into()) } else { Ok(keys) }
}

fn signs(key: &Jwk) -> bool {
    key.common.key_id.is_some()
        && !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption))
        && key.common.key_operations.as_ref().is_none_or(|may| may.contains(&KeyOperations::Verify))
        && matches!(
            key.algorithm,
            AlgorithmParameters::EllipticCurve(_)
                | AlgorithmParameters::RSA(_)
                | AlgorithmParameters::OctetKeyPair(_)
        )
        && key
            .common
            .key_algorithm
            .is_none_or(|own| ALGORITHMS.iter().any(|algorithm| own.to_string() == format!("{algorithm:?}")))
}

impl Keys {
    /// Keys that stay as they are.
    ///
    /// # Errors
    /// Fails if the text is no JWK Set, or none of its keys can be used.
    pub fn fixed(text: &[u8]) -> Result<Self, String> {
        let held = Fetched { keys: usable(text)?, at: Instant::now() };
        Ok(Self { address: None, held: RwLock::new(Some(held)) })
    }

    /// Keys behind an address, none of which are known yet.
    ///
    /// # Errors
    /// Fails if this machine has no authorities to check certificates against.
    pub fn behind(url: reqwest::Url) -> Result<Self, String> {
        // The address alone says where the keys come from: no proxy of the environment does, and no redirect.
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(2))
            .timeout(TIMEOUT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        let address = Address { url, client, asked: Mutex::new(None) };
        Ok(Self { address: Some(address), held: RwLock::new(None) })
    }

    /// Whether there are keys to check a token with.
    #[must_use]
    pub fn known(&self) -> bool {
        self.held.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The key of a name, asking for it if it is not known.
    ///
    /// # Errors
    /// Fails if the keys could not be had at all, or not for too long.
    pub async fn find(&self, name: &str) -> Result<Option<Jwk>, Problem> {
        if let Some(found) = self.look(name)? {
            return Ok(Some(found));
        }
        let Some(address) = &self.address else { return Ok(None) };
        let mut asked = address.asked.lock().await;
        if asked.is_none_or(|at| at.elapsed() >= UNKNOWN) {
            *asked = Some(Instant::now());
            self.fetch(address).await;
        }
        drop(asked);
        if !self.known() {
            return Err(Problem::unavailable("the issuer of the token does not answer"));
        }
        self.look(name)
    }

    fn look(&self, name: &str) -> Result<Option<Jwk>, Problem> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = &*held else { return Ok(None) };
        if self.address.is_some() && held.at.elapsed() > KEPT {
            return Err(Problem::unavailable("the issuer of the token has not answered for a day"));
        }
        Ok(held.keys.iter().find(|key| key.common.key_id.as_deref() == Some(name)).cloned())
    }

    /// Asks now and then, for as long as the process lives. It has nothing to do for keys of a file.
    pub async fn keep_fresh(&self) {
        let Some(address) = &self.address else { return };
        let mut wait = RETRY;
        loop {
            let mut asked = address.asked.lock().await;
            *asked = Some(Instant::now());
            let well = self.fetch(address).await;
            drop(asked);
            let pause = if well { REFRESH } else { wait };
            wait = if well { RETRY } else { (wait * 2).min(REFRESH) };
            tokio::time::sleep(pause).await;
        }
    }

    /// Asks once, and keeps what there was before if there is no good answer.
    async fn fetch(&self, address: &Address) -> bool {
        match address.get().await {
            Ok(keys) => {
                let held = Fetched { keys, at: Instant::now() };
                *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
                true
            }
            Err(why) => {
                tracing::warn!("the issuer's keys could not be fetched: {why}");
                false
            }
        }
    }
}

impl Address {
    async fn get(&self) -> Result<Vec<Jwk>, String> {
        let told = |error: reqwest::Error| describe(&error.without_url());
        let mut answer = self.client.get(self.url.clone()).send().await.map_err(told)?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(format!("the answer is {}", answer.status().as_u16()));
        }
        let mut text = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(told)? {
            text.extend_from_slice(&part);
            if text.len() > BYTES_MAX {
                return Err(format!("the answer has more than {BYTES_MAX} bytes"));
            }
        }
        usable(&text)
    }
}

/// An error with its causes, which say what the error itself leaves out.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_without_a_key_that_signs_is_refused() {
        for bad in [
            "",
            "[]",
            r#"{"keys":[]}"#,
            r#"{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}"#,
            r#"{"keys":[{"kty":"RSA","kid":"a","use":"enc","n":"AQAB","e":"AQAB"}]}"#,
            r#"{"keys":[{"kty":"RSA","kid":"a","alg":"RS512","n":"AQAB","e":"AQAB"}]}"#,
            r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#,
            r#"{"keys":[{"kty":"RSA","kid":"a","key_ops":["encrypt"],"n":"AQAB","e":"AQAB"}]}"#,
        ] {
            assert!(usable(bad.as_bytes()).is_err(), "{bad}");
        }
        let mixed = r#"{"keys":[{"kty":"new","kid":"b"},{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}"#;
        assert_eq!(usable(mixed.as_bytes()).map(|keys| keys.len()), Ok(1));
    }
}
