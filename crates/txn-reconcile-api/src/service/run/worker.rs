//! Takes up the runs that are due, one after another.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::carry;
use super::lease::LeasedRun;
use crate::service::App;
use crate::service::clock::id;
use crate::service::store::StoreError;

/// The queue of runs that wait for a worker.
pub const QUEUE: &str = "runs";

/// How long a worker waits when there is nothing to do.
pub const IDLE_MS: u64 = 1_000;

/// Works until the process is told to stop.
pub async fn work(app: Arc<App>) {
    let me = id("worker", &*app.clock, &*app.rng);
    while !app.stopping.load(Ordering::Relaxed) {
        match step(&app, &me).await {
            Ok(true) => {}
            Ok(false) => {
                tokio::select! {
                    () = app.clock.sleep(IDLE_MS) => {}
                    () = app.wake.notified() => {}
                }
            }
            Err(error) => {
                tracing::error!("the worker cannot reach the store: {error}");
                app.clock.sleep(IDLE_MS).await;
            }
        }
    }
}

/// Takes up one run, if one is due.
///
/// # Errors
/// Fails if the store does not answer.
pub async fn step(app: &App, me: &str) -> Result<bool, StoreError> {
    for item in app.store.list_due(QUEUE, app.clock.now_ms() + 1, 8).await? {
        // The index may lag behind: the item itself decides.
        let Some(item) = app.store.get(&item.key).await? else { continue };
        if item.due.as_ref().is_none_or(|due| due.at > app.clock.now_ms()) {
            continue;
        }
        if let Some(tenant) = item.key.pk.strip_prefix("tenant#")
            && carry::put_off(app, tenant, &item).await?
        {
            continue;
        }
        if let Some(held) = LeasedRun::claim(app, item, me).await? {
            held.finish().await;
            return Ok(true);
        }
    }
    Ok(false)
}

