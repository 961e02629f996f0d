//! The sample ledger and statement, sent through the API itself.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::super::App;

const LEDGER: &str = include_str!("../../../samples/ledger.csv");
const BANK: &str = include_str!("../../../samples/bank.sta");
const RULES: &str = include_str!("../../../samples/rules.toml");

/// Sends the samples and starts a run of them; answers the run.
///
/// # Errors
/// Says what was refused.
pub async fn sample(app: Arc<App>, token: &str) -> Result<String, String> {
    let router = super::router(app);
    let send = async |path: &str, media: &str, body: Vec<u8>| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &body);
        let mut key = [0; 16];
        super::super::clock::Rng::fill(&super::super::clock::SystemRng, &mut key);
        let request = Request::post(path)
            .header("authorization", format!("Bearer {token}"))
            .header("idempotency-key", super::super::digest::hex(&key))
            .header("content-type", media)
            .header("content-digest", format!("sha-256=:{}:", STANDARD.encode(digest)))
            .body(Body::from(body))
            .map_err(|error| error.to_string())?;
        let answer = router.clone().oneshot(request).await.map_err(|error| error.to_string())?;
        let good = answer.status().is_success();
        let bytes =
            axum::body::to_bytes(answer.into_body(), 1 << 20).await.map_err(|error| error.to_string())?;
        if !good {
            return Err(format!("{path}: {}", String::from_utf8_lossy(&bytes)));
        }
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        value["id"].as_str().map(str::to_owned).ok_or_else(|| "an answer without an id".to_owned())
    };
    let json =
        async |path: &str, body: Value| send(path, "application/json", body.to_string().into_bytes()).await;
    let file = async |source: &str, name: &str, body: &str| {
        let path = format!("{}?source={source}&name={name}", contract::UPLOAD_PATH);
        send(&path, "application/octet-stream", body.as_bytes().to_vec()).await
    };
    let (left, right) = (
        json("/v1/sources", json!({ "name": "ledger" })).await?,
        json("/v1/sources", json!({ "name": "bank" })).await?,
    );
    let ruleset = json("/v1/rulesets", json!({ "toml": RULES })).await?;
    let (ledger, bank) = (file(&left, "ledger.csv", LEDGER).await?, file(&right, "bank.sta", BANK).await?);
    let run = json!({
        "left": { "source": left, "statements": [ledger] },
        "right": { "source": right, "statements": [bank] },
        "ruleset": ruleset,
    });
    json("/v1/runs", run).await
}
