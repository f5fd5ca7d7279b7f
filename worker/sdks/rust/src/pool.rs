//! The threads that call the user's code.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, PoisonError};
use std::thread;
use std::time::Instant;

use crate::job::{Job, Lanes, Part};
use crate::queue::{Locked, Queue, Workers};
use crate::{Failure, Record, Results};

/// The user's code.
pub trait Code: Send + Sync {
    /// Returns the lanes that records are worked on in.
    fn lanes(&self, records: &[Record], ordering: &str) -> Lanes;
    /// Puts the results of a lane's records.
    fn run(&self, job: &Job, lane: usize, part: &mut Part<'_>);
}

/// Code for one record.
pub struct Each<F>(pub F);

impl<F> Code for Each<F>
where
    F: Fn(&Record) -> Result<Results, Failure> + Send + Sync,
{
    fn lanes(&self, records: &[Record], ordering: &str) -> Lanes {
        Lanes::new(records, ordering)
    }

    fn run(&self, job: &Job, lane: usize, part: &mut Part<'_>) {
        for &place in job.places(lane) {
            let result = caught(|| (self.0)(&job.records[place])).and_then(|result| result);
            part.put(place, result, Instant::now());
        }
    }
}

/// Code for a batch.
pub struct Whole<F>(pub F);

impl<F> Code for Whole<F>
where
    F: Fn(&[Record]) -> Result<Vec<Result<Results, Failure>>, Failure> + Send + Sync,
{
    fn lanes(&self, records: &[Record], _: &str) -> Lanes {
        Lanes::whole(records)
    }

    fn run(&self, job: &Job, _: usize, part: &mut Part<'_>) {
        let results = caught(|| (self.0)(&job.records)).and_then(|results| results);
        match results {
            Err(failure) => job.fail(failure),
            Ok(results) if results.len() != job.records.len() => {
                job.fail(Failure::retry(format_args!(
                    "the closure returned {} results for {} records: it has to return one for each",
                    results.len(),
                    job.records.len()
                )));
            }
            Ok(results) => {
                let now = Instant::now();
                for (place, result) in results.into_iter().enumerate() {
                    part.put(place, result, now);
                }
            }
        }
    }
}

/// Calls the user's code. A panic is a failed attempt.
pub fn caught<T>(call: impl FnOnce() -> T) -> Result<T, Failure> {
    panic::catch_unwind(AssertUnwindSafe(call)).map_err(|payload| panicked(&*payload))
}

/// Returns the failure of a record whose code has panicked.
pub fn panicked(payload: &(dyn Any + Send)) -> Failure {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    Failure::retry(format_args!("panic: {}", text.unwrap_or("without a message")))
}

/// Ends the process when its thread panics outside of [`caught`], such as in the `Drop` of a
/// user's value. The job that the thread has left would wait for its results otherwise, and each
/// job after it for one thread less.
pub struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("millrace: the process ends, since its thread has panicked");
            std::process::exit(101);
        }
    }
}

/// Jobs, and threads that work on them.
pub struct Pool {
    code: Arc<dyn Code>,
    queue: Queue,
    changed: Condvar,
    threads: usize,
}

impl Pool {
    /// Starts threads, which live as long as the process.
    pub fn start(threads: usize, code: Arc<dyn Code>) -> Arc<Self> {
        let pool =
            Arc::new(Self { code, queue: Queue::default(), changed: Condvar::new(), threads });
        for number in 0..threads {
            let pool = Arc::clone(&pool);
            thread::Builder::new()
                .name(format!("millrace-{number}"))
                .spawn(move || {
                    let _bomb = Bomb;
                    loop {
                        let job = pool.next();
                        pool.work(&job);
                    }
                })
                .expect("the system has threads");
        }
        pool
    }

    /// Waits for a job that has a lane left.
    fn next(&self) -> Arc<Job> {
        let mut queue = self.queue.lock();
        loop {
            if let Some(job) = queue.front() {
                return job;
            }
            queue = Locked(self.changed.wait(queue.0).unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn work(&self, job: &Job) {
        let mut part = Part::new(job);
        let mut done = 0;
        loop {
            let lanes = job.take_lanes(self.threads);
            if lanes.is_empty() {
                break;
            }
            done += lanes.len();
            for lane in lanes {
                self.code.run(job, lane, &mut part);
            }
        }
        part.flush(Instant::now());
        if done > 0 {
            job.finish(done);
        }
    }
}

impl Workers for Pool {
    fn lanes(&self, records: &[Record], ordering: &str) -> Lanes {
        self.code.lanes(records, ordering)
    }

    fn push(&self, job: Arc<Job>) {
        let several = job.lanes() > 1;
        self.queue.lock().0.push_back(job);
        if several {
            self.changed.notify_all();
        } else {
            self.changed.notify_one();
        }
    }
}
