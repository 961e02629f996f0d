//! An issuer of JSON Web Tokens: keys, tokens of any kind, and an address that answers the keys.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub const ISSUER: &str = "https://idp.example";
pub const AUDIENCE: &str = "reconcile";

/// A key that tokens are signed with.
pub enum Signer {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    pub fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(rsa::KeySize::Rsa2048).unwrap())
    }

    pub fn ec() -> Self {
        Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ec(_) => "ES256",
        }
    }

    /// The public half as it is transported.
    pub fn public(&self) -> &[u8] {
        match self {
            Self::Rsa(pair) => pair.public_key().as_ref(),
            Self::Ec(pair) => pair.public_key().as_ref(),
        }
    }

    /// The public half as a JWK.
    pub fn jwk(&self, kid: &str) -> Value {
        let bytes = self.public();
        match self {
            // SEQUENCE { INTEGER modulus, INTEGER exponent }: the modulus has 256 bytes behind a zero byte.
            Self::Rsa(_) => {
                json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": text(&bytes[9..265]), "e": "AQAB" })
            }
            Self::Ec(_) => {
                json!({ "kty": "EC", "use": "sig", "crv": "P-256", "kid": kid, "x": text(&bytes[1..33]), "y": text(&bytes[33..]) })
            }
        }
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", text(header.to_string()), text(claims.to_string()));
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
                signature
            }
            Self::Ec(pair) => pair.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
        };
        format!("{signed}.{}", text(signature))
    }

    /// A token with claims, under the name of a key.
    pub fn token(&self, kid: &str, claims: &Value) -> String {
        self.sign(&json!({ "alg": self.algorithm(), "typ": "JWT", "kid": kid }), claims)
    }
}

/// A token without a signature.
pub fn unsigned(kid: &str, claims: &Value) -> String {
    format!("{}.{}.", text(json!({ "alg": "none", "kid": kid }).to_string()), text(claims.to_string()))
}

/// A token signed with a shared secret.
pub fn shared(kid: &str, secret: &[u8], claims: &Value) -> String {
    let signed =
        format!("{}.{}", text(json!({ "alg": "HS256", "kid": kid }).to_string()), text(claims.to_string()));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", text(signature))
}

#[expect(clippy::disallowed_methods, reason = "a token bears the time; the rule is for synthesis")]
pub fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// The claims of somebody who may do everything for a tenant.
pub fn claims(tenant: &str, who: &str) -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": who, "tenant": tenant, "scope": "openid read write approve audit", "exp": now() + 600, "nbf": now() - 5 })
}

pub fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// An address that answers what it is told to.
pub struct Address {
    pub url: String,
    pub answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Address {
    pub async fn new(status: u16, body: String) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let (answer, asked) = (Arc::new(Mutex::new((status, body))), Arc::new(AtomicUsize::new(0)));
        let (told, counted) = (Arc::clone(&answer), Arc::clone(&asked));
        let router = axum::Router::new().route(
            "/keys",
            axum::routing::get(move || async move {
                counted.fetch_add(1, Ordering::Relaxed);
                let (status, body) = told.lock().unwrap().clone();
                // A redirect leads back here, where it would be answered for ever.
                (axum::http::StatusCode::from_u16(status).unwrap(), [("location", "/keys")], body)
            }),
        );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, answer, asked }
    }

    pub fn answers(&self, status: u16, body: String) {
        *self.answer.lock().unwrap() = (status, body);
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}
