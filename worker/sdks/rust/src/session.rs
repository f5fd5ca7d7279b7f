//! What the threads of a connection share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::protocol::{process_frame::Message, BatchCredit, Drained, WorkerHello};
use crate::writer::Writer;
use crate::Error;

/// Why a connection, or the process, has to end.
pub enum End {
    /// The connection has ended without a Close in good order.
    Lost(Error),
    /// The worker sends no more batches.
    Closed,
    /// A signal asks the process to end.
    Stop,
}

/// What a batch meets that has come.
#[derive(Debug, PartialEq)]
pub enum Arrival {
    Welcome,
    WithoutCredit,
    /// This side closes: the batch goes to another process.
    TooLate,
}

/// A connection: the batches that the process holds, and the way to the worker.
pub struct Session {
    pub writer: Writer,
    hello: OnceLock<WorkerHello>,
    closed: AtomicBool,
    hand: Mutex<Hand>,
    changed: Condvar,
}

#[derive(Default)]
struct Hand {
    /// The ids of the batches that are not answered, by the order of their coming.
    batches: BTreeMap<u64, u64>,
    came: u64,
    /// How many batches had come before each Drain that is not answered.
    drains: Vec<u64>,
    /// How many batches the worker may have sent.
    granted: u64,
    /// The process ends: it wants no more batches.
    stopping: bool,
    /// This side sends its Close, and nothing behind it.
    over: bool,
    /// The connection has ended, and nobody wants the answers.
    lost: bool,
}

impl Session {
    pub fn new(writer: Writer, credit: u32) -> Self {
        let hand = Hand { granted: credit.into(), ..Hand::default() };
        Self {
            writer,
            hello: OnceLock::new(),
            closed: AtomicBool::new(false),
            hand: Mutex::new(hand),
            changed: Condvar::new(),
        }
    }

    /// Returns a session whose frames go nowhere.
    #[cfg(test)]
    pub fn unconnected() -> std::sync::Arc<Self> {
        let (stream, _) = std::os::unix::net::UnixStream::pair().unwrap();
        std::sync::Arc::new(Self::new(Writer::new(stream), 1))
    }

    /// Keeps the worker's Hello. It returns false if there is one already.
    pub fn greet(&self, hello: WorkerHello) -> bool {
        self.hello.set(hello).is_ok()
    }

    /// Returns the worker's Hello, if it has come.
    pub fn hello(&self) -> Option<&WorkerHello> {
        self.hello.get()
    }

    /// Says that the worker has closed in good order.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Whether the worker has closed in good order.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Returns the most bytes that all results of a batch may have.
    pub fn largest(&self) -> usize {
        self.hello().map_or(0, |hello| usize::try_from(hello.max_frame_bytes).unwrap_or(usize::MAX))
    }

    /// Says that a batch has come.
    pub fn came(&self, batch: u64) -> Arrival {
        let mut hand = self.lock();
        if hand.over {
            return Arrival::TooLate;
        }
        let came = hand.came;
        hand.came += 1;
        hand.batches.insert(came, batch);
        if hand.came <= hand.granted {
            Arrival::Welcome
        } else {
            Arrival::WithoutCredit
        }
    }

    /// Says that all results of a batch are sent, and makes room for the next one.
    pub fn answered(&self, batch: u64) {
        let mut hand = self.lock();
        hand.batches.retain(|_, held| *held != batch);
        if !hand.stopping {
            hand.granted += 1;
            self.writer.send(Message::Credit(BatchCredit { batches: 1 }));
        }
        self.answer_drains(&mut hand);
        self.changed.notify_all();
    }

    /// Answers a Drain as soon as every batch before it is answered.
    pub fn drain(&self) {
        let mut hand = self.lock();
        let came = hand.came;
        hand.drains.push(came);
        self.answer_drains(&mut hand);
    }

    /// Waits until all batches are answered, without asking for more, or until the connection
    /// is lost. A batch that comes after that is too late.
    pub fn finish_batches(&self) {
        let mut hand = self.lock();
        hand.stopping = true;
        let waited = self.changed.wait_while(hand, |hand| !hand.batches.is_empty() && !hand.lost);
        waited.unwrap_or_else(PoisonError::into_inner).over = true;
    }

    /// Says that the connection has ended without a Close in good order.
    pub fn lose(&self) {
        self.lock().lost = true;
        self.changed.notify_all();
    }

    fn answer_drains(&self, hand: &mut Hand) {
        let first = hand.batches.keys().next().copied().unwrap_or(u64::MAX);
        hand.drains.retain(|&before| {
            let waits = first < before;
            if !waits {
                self.writer.send(Message::Drained(Drained {}));
            }
            waits
        });
    }

    fn lock(&self) -> MutexGuard<'_, Hand> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_crosses_the_close_is_dropped() {
        let session = Session::unconnected();
        assert_eq!(session.came(1), Arrival::Welcome);
        assert_eq!(session.came(2), Arrival::WithoutCredit);
        session.answered(1);
        session.answered(2);
        session.finish_batches();
        assert_eq!(session.came(3), Arrival::TooLate);
        session.finish_batches(); // does not wait for it
    }
}
