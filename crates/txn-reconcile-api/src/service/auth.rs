//! Who calls: the admin key, API keys and JSON Web Tokens. The tenant comes from the credential alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::App;
use super::audit::sha256;
use super::jwks::{ALGORITHMS, Keys};
use super::problem::Problem;
use super::records::{ApiKey, Scope};
use super::store::Key;

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
        match &self.tokens {
            Some(tokens) => tokens.check(token).await?.ok_or_else(refused),
            None => Err(refused()),
        }
    }
}

impl Tokens {
    /// Who holds a token; none if it is not good.
    async fn check(&self, token: &str) -> Result<Option<Principal>, Problem> {
        // What cannot be good has nobody asked for keys.
        let Some(header) = decode_header(token).ok().filter(|header| ALGORITHMS.contains(&header.alg)) else {
            return Ok(None);
        };
        let Some(name) = header.kid.filter(|name| name.len() <= 200) else { return Ok(None) };
        let Some(key) = self.keys.find(&name).await? else { return Ok(None) };
        // The key says what it is for: a token cannot choose another algorithm for it.
        if key.common.key_algorithm.is_some_and(|own| own.to_string() != format!("{:?}", header.alg)) {
            return Ok(None);
        }
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        let Ok(key) = DecodingKey::from_jwk(&key) else { return Ok(None) };
        Ok(decode::<Claims>(token, &key, &validation).ok().and_then(|token| token.claims.principal()))
    }
}

impl Claims {
    fn principal(self) -> Option<Principal> {
        if !is_tenant(&self.tenant) || self.tenant == "admin" || self.sub.len() > 200 {
            return None;
        }
        let scopes = self.scope.split(' ').filter_map(|scope| match scope {
            "read" => Some(Scope::Read),
            "write" => Some(Scope::Write),
            "approve" => Some(Scope::Approve),
            "audit" => Some(Scope::Audit),
            _ => None,
        });
        Some(Principal { actor: format!("sub:{}", self.sub), scopes: scopes.collect(), tenant: self.tenant })
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
