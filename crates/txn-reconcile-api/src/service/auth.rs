//! Who calls: the admin key, API keys and JSON Web Tokens. The tenant comes from the credential alone.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::App;
use super::audit::sha256;
use super::problem::Problem;
use super::records::{ApiKey, Scope};
use super::store::Key;

/// The algorithms that a JSON Web Token may be signed with: none with a shared secret, and never `none`.
const ALGORITHMS: [Algorithm; 4] = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256, Algorithm::RS256];

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
    pub keys: JwkSet,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    tenant: String,
    #[serde(default)]
    scope: String,
}

/// The partition of API keys.
const KEYS: &str = "keys";

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

    /// Who holds a bearer token.
    ///
    /// # Errors
    /// Fails with 401, whatever is wrong with it.
    pub async fn check(&self, app: &App, token: &str) -> Result<Principal, Problem> {
        let refused = || Problem::unauthorized("the bearer token is not valid");
        let hash = sha256(token.as_bytes());
        if let Some(admin) = &self.admin_hash
            && verify_slices_are_equal(admin.as_bytes(), hash.as_bytes()).is_ok()
        {
            let scopes = vec![Scope::Admin];
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
            let actor = format!("key:{}", key.id);
            return Ok(Principal { tenant: key.tenant, actor, scopes: key.scopes });
        }
        self.tokens.as_ref().and_then(|tokens| tokens.check(token)).ok_or_else(refused)
    }
}

impl Tokens {
    fn check(&self, token: &str) -> Option<Principal> {
        let header = decode_header(token).ok()?;
        if !ALGORITHMS.contains(&header.alg) {
            return None;
        }
        let key = self.keys.find(&header.kid?)?;
        // The key says what it is for: a token cannot choose another algorithm for it.
        if key.common.key_algorithm.is_some_and(|own| own.to_string() != format!("{:?}", header.alg)) {
            return None;
        }
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        let claims = decode::<Claims>(token, &DecodingKey::from_jwk(key).ok()?, &validation).ok()?.claims;
        if !is_tenant(&claims.tenant) || claims.tenant == "admin" || claims.sub.len() > 200 {
            return None;
        }
        let scopes = claims.scope.split(' ').filter_map(|scope| match scope {
            "read" => Some(Scope::Read),
            "write" => Some(Scope::Write),
            "approve" => Some(Scope::Approve),
            "audit" => Some(Scope::Audit),
            _ => None,
        });
        Some(Principal {
            tenant: claims.tenant,
            actor: format!("sub:{}", claims.sub),
            scopes: scopes.collect(),
        })
    }
}

/// Requests per second and tenant, as a bucket that holds those of two seconds.
pub struct RateLimit {
    per_second: u32,
    buckets: Mutex<HashMap<String, (u64, u64)>>,
}

impl RateLimit {
    /// Of so many requests per second.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Self { per_second, buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes one request of a tenant.
    ///
    /// # Errors
    /// Fails with 429 if there are too many.
    pub fn take(&self, tenant: &str, now_ms: u64) -> Result<(), Problem> {
        let rate = u64::from(self.per_second);
        let full = rate * 2000;
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (filled, at) = buckets.entry(tenant.to_owned()).or_insert((full, now_ms));
        *filled = (*filled + now_ms.saturating_sub(*at) * rate).min(full);
        *at = now_ms;
        match filled.checked_sub(1000) {
            Some(rest) => {
                *filled = rest;
                Ok(())
            }
            None => Err(Problem::too_many("the tenant asks too often; ask again in a second")),
        }
    }
}
