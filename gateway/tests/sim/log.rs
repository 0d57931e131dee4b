//! What happened in a run, in order. Two runs of one seed have the same log.
use crate::time::SimClock;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone)]
pub struct Log {
    clock: Arc<SimClock>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Log {
    pub fn new(clock: Arc<SimClock>) -> Self {
        Self { clock, lines: Arc::default() }
    }

    pub fn note(&self, who: &str, what: impl std::fmt::Display) {
        let line = format!("{:>7} ms  {who}: {what}", self.clock.elapsed_ms());
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    pub fn bytes(&self, who: &str, what: &str, bytes: &[u8]) {
        self.note(who, format_args!("{what} {:?}", String::from_utf8_lossy(bytes)));
    }

    pub fn text(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}
