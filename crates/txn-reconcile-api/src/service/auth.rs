//! Who calls: the admin key, API keys and JSON Web Tokens. The tenant comes from the credential alone.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::App;
use super::digest::sha256;
use super::jwks::{ALGORITHMS, Keys};
use super::problem::Problem;
use super::records::{ApiKey, Scope};
use super::store::Key;
use crate::pan;

/// A caller.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Whose data it reaches.
    pub tenant: String,
    /// Whom it stands for.
    pub actor: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
}

/// How callers are known.
#[derive(Default)]
pub struct Auth {
    admin_hash: Option<String>,
    tokens: Option<Tokens>,
}

/// JSON Web Tokens of one issuer.
pub struct Tokens {
    /// The issuer.
    pub issuer: String,
    /// Whom they have to be for.
    pub audience: String,
    /// The issuer's keys.
    pub keys: Arc<Keys>,
    /// Which claims say who calls.
    pub claims: ClaimNames,
}

/// Which claims of a token say who calls: each issuer has its own. A name that begins with `/` is a JSON Pointer
/// (RFC 6901).
#[derive(Debug, Clone)]
pub struct ClaimNames {
    /// The audience.
    pub audience: String,
    /// The tenant.
    pub tenant: String,
    /// What the caller may do: a text with spaces (RFC 8693, 4.2), or a list.
    pub scope: String,
    /// What the words of that claim mean; others mean nothing.
    pub scopes: Vec<(String, Scope)>,
}

impl Default for ClaimNames {
    fn default() -> Self {
        let words = ["read", "write", "approve", "audit"];
        let scopes = words.into_iter().filter_map(|word| Some((word.to_owned(), Self::grantable(word)?)));
        Self {
            audience: AUDIENCE.to_owned(),
            tenant: "tenant".to_owned(),
            scope: "scope".to_owned(),
            scopes: scopes.collect(),
        }
    }
}

/// The claim of RFC 7519, 4.1.3.
const AUDIENCE: &str = "aud";

impl ClaimNames {
    /// The scope of this name, if a token may have it: no token is the admin's.
    #[must_use]
    pub fn grantable(name: &str) -> Option<Scope> {
        match name {
            "read" => Some(Scope::Read),
            "write" => Some(Scope::Write),
            "approve" => Some(Scope::Approve),
            "audit" => Some(Scope::Audit),
            _ => None,
        }
    }

    /// Who calls, if the claims say so.
    fn principal(&self, claims: &Value) -> Option<Principal> {
        let sub = claims["sub"].as_str().filter(|sub| is_subject(sub))?;
        let tenant =
            claim(claims, &self.tenant)?.as_str().filter(|name| is_tenant(name) && *name != "admin")?;
        let words = claim(claims, &self.scope).map(words).unwrap_or_default();
        let meant = self.scopes.iter().filter(|(word, _)| words.contains(&word.as_str()));
        let scopes = meant.map(|(_, scope)| *scope).collect();
        Some(Principal { actor: format!("sub:{sub}"), scopes, tenant: tenant.to_owned() })
    }
}

fn claim<'a>(claims: &'a Value, name: &str) -> Option<&'a Value> {
    if name.starts_with('/') { claims.pointer(name) } else { claims.get(name) }
}

/// The words of a claim: those of a text, or the texts of a list.
fn words(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => text.split(' ').collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What an API key's actor begins with. One of a token begins with `sub:`, whatever the subject is.
const KEY: &str = "key:";

/// The partition of API keys.
pub const KEYS: &str = "keys";

/// Where an API key lies.
#[must_use]
pub fn key_place(id: &str) -> Key {
    Key::new(KEYS, format!("key#{id}"))
}

/// Whether a tenant's name is one: lower-case letters, digits and hyphens.
#[must_use]
pub fn is_tenant(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

impl Auth {
    /// With the admin's key and, perhaps, an issuer of tokens.
    #[must_use]
    pub fn new(admin_key: Option<&str>, tokens: Option<Tokens>) -> Self {
        Self { admin_hash: admin_key.map(|key| sha256(key.as_bytes())), tokens }
    }

    /// The keys of the issuer of tokens, if there is one.
    #[must_use]
    pub fn keys(&self) -> Option<&Arc<Keys>> {
        self.tokens.as_ref().map(|tokens| &tokens.keys)
    }

    /// Who holds a bearer token.
    ///
    /// # Errors
    /// Fails with 401, whatever is wrong with it, and with 503 if that cannot be told now.
    pub async fn check(&self, app: &App, token: &str) -> Result<Principal, Problem> {
        let refused = || Problem::unauthorized("the bearer token is not valid");
        let hash = sha256(token.as_bytes());
        if let Some(admin) = &self.admin_hash
            && verify_slices_are_equal(admin.as_bytes(), hash.as_bytes()).is_ok()
        {
            // Whoever makes keys leaves a log of it, and can show that.
            let scopes = vec![Scope::Admin, Scope::Audit];
            return Ok(Principal { tenant: "admin".into(), actor: "admin".into(), scopes });
        }
        if let Some(rest) = token.strip_prefix("rk.") {
            let (id, secret) = rest.split_once('.').ok_or_else(refused)?;
            if id.is_empty() || id.len() > 64 {
                return Err(refused());
            }
            let item = app.store.get(&key_place(id)).await?.ok_or_else(refused)?;
            let key: ApiKey = super::records::decode(&item)?;
            let same = verify_slices_are_equal(key.hash.as_bytes(), sha256(secret.as_bytes()).as_bytes());
            if same.is_err() || key.revoked {
                return Err(refused());
            }
            let actor = format!("{KEY}{}", key.id);
            return Ok(Principal { tenant: key.tenant, actor, scopes: key.scopes });
        }
        match &self.tokens {
            Some(tokens) => tokens.check(app, token).await?.ok_or_else(refused),
            None => Err(refused()),
        }
    }
}

/// Whether two actors of a tenant are one person: the same credential's, or of API keys that stand for the same one.
///
/// # Errors
/// Fails if the store does not answer.
pub async fn same_person(app: &App, one: &str, other: &str) -> Result<bool, Problem> {
    let name = async |id: &str| -> Result<_, Problem> {
        let item = app.store.get(&key_place(id)).await?;
        let item = item.ok_or_else(|| Problem::internal("an API key has gone"))?;
        Ok(super::records::decode::<ApiKey>(&item)?.name)
    };
    match (one.strip_prefix(KEY), other.strip_prefix(KEY)) {
        _ if one == other => Ok(true),
        (Some(one), Some(other)) => Ok(name(one).await? == name(other).await?),
        _ => Ok(false),
    }
}

impl Tokens {
    /// Who holds a token; none if it is not good.
    async fn check(&self, app: &App, token: &str) -> Result<Option<Principal>, Problem> {
        // What cannot be good has nobody asked for keys.
        let Some(header) = decode_header(token).ok().filter(|header| ALGORITHMS.contains(&header.alg)) else {
            return Ok(None);
        };
        // What a header demands and what is not meant to say who calls is not taken for less than it is (RFC 7515, 4.1.11;
        // RFC 8725, 3.11).
        if header.crit.is_some() || !header.typ.as_deref().is_none_or(says_who) {
            return Ok(None);
        }
        let Some(name) = header.kid.filter(|name| name.len() <= 200) else { return Ok(None) };
        let Some(key) = self.keys.find(&name).await? else { return Ok(None) };
        // The key says what it is for: a token cannot choose another algorithm for it.
        if key.common.key_algorithm.is_some_and(|own| own.to_string() != format!("{:?}", header.alg)) {
            return Ok(None);
        }
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.issuer]);
        if self.claims.audience == AUDIENCE {
            validation.set_audience(&[&self.audience]);
            validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        } else {
            validation.validate_aud = false;
            validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        }
        validation.validate_nbf = true;
        let Ok(key) = DecodingKey::from_jwk(&key) else { return Ok(None) };
        let latest = app.clock.now_ms() / 1000 + LIFE_SECONDS_MAX;
        let Ok(token) = decode::<Value>(token, &key, &validation) else { return Ok(None) };
        let claims = token.claims;
        let named = claim(&claims, &self.claims.audience);
        let meant = named.is_some_and(|named| {
            named == &*self.audience
                || named.as_array().is_some_and(|all| all.iter().any(|one| one == &*self.audience))
        });
        // Seconds since 1970, perhaps with a fraction (RFC 7519, 2).
        #[expect(clippy::cast_precision_loss, reason = "seconds of this age are far below 2^53")]
        let lives = claims["exp"].as_f64().is_some_and(|exp| exp <= latest as f64);
        Ok((meant && lives).then(|| self.claims.principal(&claims)).flatten())
    }
}

/// Seconds that a token may still live: nobody can take one back, so one that was lost must not count for years. It is the
/// day and an hour that issuers give at most, and their clocks may differ by.
const LIFE_SECONDS_MAX: u64 = 86_400 + 3_600;

/// Whether a token of this type says who calls: an access token (RFC 9068), or one that does not say more than that it is
/// one. One of the session's end (`logout+jwt`) and the like are signed with the same keys.
fn says_who(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
}

/// Whether a subject can stand in records and in the audit log for ever.
fn is_subject(sub: &str) -> bool {
    (1..=200).contains(&sub.len())
        && !sub.chars().any(char::is_control)
        && !sub.trim().is_empty()
        && pan::scan(sub.as_bytes()).is_none()
}

/// How many keys a limit keeps at once: some 100 bytes each.
const KEYS_MAX: usize = 10_000;

/// Bad tokens per second and address that one task looks at before it says 429.
pub const BAD_TOKENS_PER_SECOND: u32 = 10;

/// So many per second of each key (a tenant, an address), as a bucket that holds those of two seconds.
pub struct RateLimit<K = String> {
    per_second: u32,
    buckets: Mutex<Buckets<K>>,
}

struct Buckets<K> {
    /// How full each is, in thousandths, and when that was.
    levels: HashMap<K, (u64, u64)>,
    /// When those were dropped last that are full again, which says nothing that their absence does not say.
    swept: u64,
}

impl<K: Hash + Eq> RateLimit<K> {
    /// Of so many per second.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Self { per_second, buckets: Mutex::new(Buckets { levels: HashMap::new(), swept: 0 }) }
    }

    fn level(&self, kept: Option<&(u64, u64)>, now_ms: u64) -> u64 {
        let rate = u64::from(self.per_second);
        let full = rate * 2000;
        kept.map_or(full, |(level, at)| (level + now_ms.saturating_sub(*at) * rate).min(full))
    }

    fn lock(&self) -> MutexGuard<'_, Buckets<K>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a key has none left.
    #[must_use]
    pub fn spent(&self, key: &K, now_ms: u64) -> bool {
        self.level(self.lock().levels.get(key), now_ms) < 1000
    }

    /// Takes one of a key; false if there is none left. Keys beyond [`KEYS_MAX`] have no limit until others are let go.
    pub fn take(&self, key: K, now_ms: u64) -> bool {
        let mut buckets = self.lock();
        let level = self.level(buckets.levels.get(&key), now_ms);
        let left = level.checked_sub(1000);
        if buckets.levels.len() >= KEYS_MAX && now_ms >= buckets.swept + 1000 {
            let full = u64::from(self.per_second) * 2000;
            buckets.swept = now_ms;
            buckets.levels.retain(|_, kept| self.level(Some(kept), now_ms) < full);
        }
        if buckets.levels.len() < KEYS_MAX || buckets.levels.contains_key(&key) {
            buckets.levels.insert(key, (left.unwrap_or(level), now_ms));
        }
        left.is_some()
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.lock().levels.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_fit_for_the_audit_log() {
        for sub in ["ann@example.com", "auth0|5f7c8ec7c33c6c004bbafe82", "Zoë"] {
            assert!(is_subject(sub), "{sub}");
        }
        for sub in
            ["", " ", "a\0b", "a\nb", "\u{85}", "4111111111111111", "a 4111 1111 1111 1111", &"a".repeat(201)]
        {
            assert!(!is_subject(sub), "{sub:?}");
        }
    }

    #[test]
    fn a_bucket_holds_two_seconds_and_fills_again() {
        let limit = RateLimit::new(3);
        let taken = |now| (0..20).filter(|_| limit.take("a", now)).count();
        assert_eq!((taken(0), taken(0)), (6, 0));
        assert!(limit.spent(&"a", 333) && !limit.spent(&"a", 334), "a third of a second for one");
        assert!(!limit.spent(&"b", 0), "another one's is full");
        assert_eq!((taken(1000), taken(500), taken(90_000)), (3, 0, 6));
    }

    #[test]
    fn however_many_there_are_few_are_kept() {
        let limit = RateLimit::new(1);
        (0..3 * KEYS_MAX).for_each(|key| assert!(limit.take(key, 5)));
        assert_eq!(limit.len(), KEYS_MAX);
        assert!(limit.take(0, 5) && !limit.take(0, 5), "those that are kept are limited");
        assert!(limit.take(3 * KEYS_MAX, 3000), "those that are full again make room");
        assert_eq!(limit.len(), 1);
    }
}
