//! Takes up the runs whose turn it is: one worker takes any run, large ones first, and another one small runs alone, so
//! that they are made beside large ones.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::Notify;

use super::lease::LeasedRun;
use super::queue::{LINES, Lane, look_after};
use crate::service::App;
use crate::service::clock::id;
use crate::service::store::StoreError;

/// How long a worker waits when there is nothing to do.
pub const IDLE_MS: u64 = 1_000;

/// Tells the workers of this process that there is something for them.
#[derive(Debug, Default)]
pub struct Wake([Notify; 2]);

impl Wake {
    /// Tells both.
    pub fn all(&self) {
        self.0.iter().for_each(Notify::notify_one);
    }
}

/// Works until the process is told to stop.
pub async fn work(app: Arc<App>) {
    tokio::join!(work_in(&app, Lane::Large), work_in(&app, Lane::Small));
}

async fn work_in(app: &App, lane: Lane) {
    let me = id("worker", &*app.clock, &*app.rng);
    while !app.stopping.load(Ordering::Relaxed) {
        let worked = match lane {
            Lane::Large => step(app, &me).await,
            Lane::Small => take_up(app, &me, lane).await,
        };
        match worked {
            Ok(true) => {}
            Ok(false) => {
                tokio::select! {
                    () = app.clock.sleep(IDLE_MS) => {}
                    () = app.wake.0[lane as usize].notified() => {}
                }
            }
            Err(error) => {
                tracing::error!("the worker cannot reach the store: {error}");
                app.clock.sleep(IDLE_MS).await;
            }
        }
    }
}

/// Takes up one run, of whatever size, if one is due.
///
/// # Errors
/// Fails if the store does not answer.
pub async fn step(app: &App, me: &str) -> Result<bool, StoreError> {
    for lane in Lane::ALL {
        if take_up(app, me, lane).await? {
            return Ok(true);
        }
    }
    for item in app.store.list_due(LINES, app.clock.now_ms() + 1, 8).await? {
        look_after(app, &item).await?;
    }
    Ok(false)
}

/// Takes up one run of a lane, if one is due.
///
/// # Errors
/// Fails if the store does not answer.
pub async fn take_up(app: &App, me: &str, lane: Lane) -> Result<bool, StoreError> {
    for item in app.store.list_due(lane.queue(), app.clock.now_ms() + 1, 8).await? {
        // The index may lag behind: the item itself decides.
        let Some(item) = app.store.get(&item.key).await? else { continue };
        if item.due.as_ref().is_none_or(|due| due.at > app.clock.now_ms()) {
            continue;
        }
        if let Some(held) = LeasedRun::claim(app, item, me).await? {
            held.finish().await;
            return Ok(true);
        }
    }
    Ok(false)
}
