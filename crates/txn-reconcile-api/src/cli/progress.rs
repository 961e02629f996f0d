//! A progress bar on standard error, for work that takes long and people who watch.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Bytes read so far, of how many.
#[derive(Debug)]
pub struct Progress {
    done_bytes: AtomicU64,
    total_bytes: u64,
    finished: AtomicBool,
    visible: bool,
}

/// How often the bar is drawn, and how long the work must last before it appears.
const STEP: Duration = Duration::from_millis(100);
const QUIET_STEPS: u32 = 10;
const WIDTH: u64 = 40;

impl Progress {
    /// A bar that shows only on a terminal, and not if the user wants it quiet.
    pub fn new(total_bytes: u64, quiet: bool) -> Self {
        let visible = !quiet && std::io::stderr().is_terminal();
        Self { done_bytes: AtomicU64::new(0), total_bytes, finished: AtomicBool::new(false), visible }
    }

    /// Counts bytes as read.
    pub fn advance(&self, bytes: u64) {
        self.done_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Ends the drawing.
    pub fn finish(&self) {
        self.finished.store(true, Ordering::Relaxed);
    }

    /// Draws until the work is finished; to be run on a thread of its own.
    pub fn draw(&self) {
        if !self.visible {
            return;
        }
        let mut step = 0;
        while !self.finished.load(Ordering::Relaxed) {
            if step >= QUIET_STEPS {
                self.line();
            }
            step += 1;
            std::thread::park_timeout(STEP);
        }
        if step > QUIET_STEPS {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    fn line(&self) {
        let done = self.done_bytes.load(Ordering::Relaxed).min(self.total_bytes);
        let filled = done * WIDTH / self.total_bytes.max(1);
        let bar: String = (0..WIDTH).map(|place| if place < filled { '#' } else { '.' }).collect();
        let percent = done * 100 / self.total_bytes.max(1);
        let _ = write!(std::io::stderr(), "\r[{bar}] {percent:>3}% read");
    }
}
