//! The tasks of a Tokio runtime that await the user's code.

use std::future::{poll_fn, Future};
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::block_in_place;
use tokio::time::timeout;

use crate::job::{Job, Lanes, Part};
use crate::pool::{caught, panicked, Bomb};
use crate::queue::{Queue, Workers};
use crate::{Failure, Record, Results};

/// Jobs, and tasks that work on them. Each task awaits one future at a time, so that there are
/// no more futures than tasks.
pub struct Tasks<F> {
    process: F,
    count: usize,
    queue: Queue,
    changed: Notify,
}

impl<F, Fut, R> Tasks<F>
where
    F: Fn(Record) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Failure>> + Send + 'static,
    R: Into<Results> + 'static,
{
    /// Starts tasks, which live as long as the runtime.
    pub fn start(count: usize, runtime: &Handle, process: F) -> Arc<Self> {
        let tasks =
            Arc::new(Self { process, count, queue: Queue::default(), changed: Notify::new() });
        for _ in 0..count {
            let tasks = Arc::clone(&tasks);
            runtime.spawn(async move {
                let _bomb = Bomb;
                loop {
                    let job = tasks.next().await;
                    tasks.work(&job).await;
                }
            });
        }
        tasks
    }

    /// Waits for a job that has a lane left.
    async fn next(&self) -> Arc<Job> {
        loop {
            // Before it looks, so that it misses no job that comes in between.
            let changed = self.changed.notified();
            let front = self.queue.lock().front();
            match front {
                Some(job) => return job,
                None => changed.await,
            }
        }
    }

    async fn work(&self, job: &Job) {
        let mut part = Part::new(job);
        let mut done = 0;
        loop {
            let lanes = job.take_lanes(self.count);
            if lanes.is_empty() {
                break;
            }
            done += lanes.len();
            for lane in lanes {
                for &place in job.places(lane) {
                    let result = self.attempt(&mut part, &job.records[place]).await;
                    may_wait(job, || part.put(place, result, Instant::now()));
                }
            }
        }
        may_wait(job, || part.flush(Instant::now()));
        if done > 0 {
            job.finish(done);
        }
    }

    /// Awaits the user's code. Results that have waited too long by then are sent.
    async fn attempt(&self, part: &mut Part<'_>, record: &Record) -> Result<Results, Failure> {
        let future = caught(|| (self.process)(record.clone()))?;
        let mut future = pin!(catch_panics(async { future.await.map(Into::into) }));
        if let Some(left) = part.age_limit(Instant::now()) {
            if let Ok(result) = timeout(left, future.as_mut()).await {
                return result.and_then(|result| result);
            }
            may_wait(part.job, || part.flush(Instant::now()));
        }
        future.await.and_then(|result| result)
    }
}

impl<F, Fut, R> Workers for Tasks<F>
where
    F: Fn(Record) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Failure>> + Send + 'static,
    R: Into<Results> + 'static,
{
    fn lanes(&self, records: &[Record], ordering: &str) -> Lanes {
        Lanes::new(records, ordering)
    }

    fn push(&self, job: Arc<Job>) {
        self.queue.lock().0.push_back(job);
        self.changed.notify_waiters();
    }
}

/// Calls what sends results. Where it may have to wait for credit, the runtime goes on with the
/// other tasks on another thread.
fn may_wait(job: &Job, send: impl FnOnce()) {
    if job.session.writer.is_short_of_credit() {
        block_in_place(send);
    } else {
        send();
    }
}

/// Awaits a future of the user. A panic is a failed attempt.
async fn catch_panics<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let mut future = pin!(future);
    poll_fn(|context| {
        let polled = AssertUnwindSafe(|| future.as_mut().poll(context));
        match panic::catch_unwind(polled) {
            Ok(Poll::Ready(result)) => Poll::Ready(Ok(result)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(payload) => Poll::Ready(Err(panicked(&*payload))),
        }
    })
    .await
}
