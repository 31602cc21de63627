//! How far a stage on a dissection is.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Progress, Telling};
use crate::nn::dissect::Watch;

/// Passes on how far a stage on a dissection is, and the wish to stop.
pub(in crate::ops) struct Watcher<'a> {
    pub(in crate::ops) tell: &'a mut dyn FnMut(Telling),
    pub(in crate::ops) stop: &'a AtomicBool,
}

impl Watch for Watcher<'_> {
    fn progress(&mut self, done: usize, total: usize) {
        let progress = Progress { step: done as u64, total: total as u64, ..Progress::default() };
        (self.tell)(Telling::Progress(progress));
    }

    fn stop(&mut self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
