//! A progress bar on standard error, for work that takes long and people who watch.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the command is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// Files are being read.
    Reading,
    /// Entries are being matched.
    Matching,
    /// Lists are being written.
    Writing,
}

/// How far the work is; the bar goes away when this is dropped.
#[derive(Debug)]
pub struct Progress {
    work: Arc<Work>,
    drawing: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Work {
    done_bytes: AtomicU64,
    total_bytes: AtomicU64,
    stage: AtomicU8,
    finished: AtomicBool,
}

/// How often the bar is drawn, and how long the work must last before it appears.
const STEP: Duration = Duration::from_millis(100);
const QUIET_STEPS: u32 = 10;
const WIDTH: u64 = 40;

impl Progress {
    /// A bar that shows only on a terminal, and not if the user wants it quiet.
    pub fn new(quiet: bool) -> Self {
        let work = Arc::new(Work::default());
        let visible = !quiet && std::io::stderr().is_terminal();
        let drawn = Arc::clone(&work);
        let drawing = visible.then(|| std::thread::spawn(move || drawn.draw()));
        Self { work, drawing }
    }

    /// Says how many bytes there are to read.
    pub fn expect(&self, total_bytes: u64) {
        self.work.total_bytes.store(total_bytes, Ordering::Relaxed);
    }

    /// Counts bytes as read.
    pub fn advance(&self, bytes: u64) {
        self.work.done_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Goes on to the next stage.
    pub fn stage(&self, stage: Stage) {
        self.work.stage.store(stage as u8, Ordering::Relaxed);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.work.finished.store(true, Ordering::Relaxed);
        if let Some(drawing) = self.drawing.take() {
            drawing.thread().unpark();
            let _ = drawing.join();
        }
    }
}

impl Work {
    /// Draws until the work is finished.
    fn draw(&self) {
        let mut step = 0;
        while !self.finished.load(Ordering::Relaxed) {
            if step >= QUIET_STEPS {
                let _ = write!(std::io::stderr(), "\r\x1b[K{}", self.line());
            }
            step += 1;
            std::thread::park_timeout(STEP);
        }
        if step > QUIET_STEPS {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    fn line(&self) -> String {
        let total = self.total_bytes.load(Ordering::Relaxed).max(1);
        let done = self.done_bytes.load(Ordering::Relaxed).min(total);
        let filled = done * WIDTH / total;
        let bar: String = (0..WIDTH).map(|place| if place < filled { '#' } else { '.' }).collect();
        let stage = self.stage.load(Ordering::Relaxed);
        if stage == Stage::Matching as u8 {
            format!("[{bar}] matching")
        } else if stage == Stage::Writing as u8 {
            format!("[{bar}] writing")
        } else {
            format!("[{bar}] {:>3}% read", done * 100 / total)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_named() {
        let progress = Progress::new(true);
        progress.expect(200);
        progress.advance(50);
        assert!(progress.work.line().ends_with(" 25% read"), "{}", progress.work.line());
        progress.stage(Stage::Matching);
        assert!(progress.work.line().ends_with("matching"));
        progress.stage(Stage::Writing);
        assert!(progress.work.line().ends_with("writing"));
    }
}
