//! Jobs that wait to be worked on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::job::{Job, Lanes};
use crate::Record;

/// Whatever works on jobs.
pub trait Workers: Send + Sync {
    /// Returns the lanes that records are worked on in.
    fn lanes(&self, records: &[Record], ordering: &str) -> Lanes;
    /// Adds a job.
    fn push(&self, job: Arc<Job>);
}

/// Jobs with lanes that nobody has taken, and some others.
#[derive(Default)]
pub struct Queue(Mutex<VecDeque<Arc<Job>>>);

/// A queue that nobody else changes.
pub struct Locked<'a>(pub MutexGuard<'a, VecDeque<Arc<Job>>>);

impl Queue {
    pub fn lock(&self) -> Locked<'_> {
        Locked(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Locked<'_> {
    /// Returns the first job that has a lane left.
    pub fn front(&mut self) -> Option<Arc<Job>> {
        while self.0.front().is_some_and(|job| job.all_taken()) {
            self.0.pop_front();
        }
        self.0.front().map(Arc::clone)
    }
}
