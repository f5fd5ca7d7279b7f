//! Reads from the worker while the user's code runs.

use std::collections::HashSet;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::Arc;
use std::time::Duration;

use crate::frame;
use crate::job::Job;
use crate::protocol::{process_frame, worker_frame::Message, Batch, Close, Pong, WorkerHello};
use crate::queue::Workers;
use crate::session::{Arrival, End, Session};
use crate::{Error, Record};

/// The version of the protocol that this crate speaks.
pub const PROTOCOL_VERSION: u32 = 1;

/// Answers pings, takes credit, and makes jobs of batches.
pub struct Reader {
    pub stream: UnixStream,
    pub session: Arc<Session>,
    pub workers: Arc<dyn Workers>,
    pub ends: Sender<End>,
    /// This side has closed: what still comes is dropped.
    pub dropping: Arc<AtomicBool>,
    pub used: UsedIds,
}

impl Reader {
    /// Reads to the end of the stream, and says how it has ended unless this side has ended it.
    pub fn run(mut self) {
        let result = self.read();
        self.session.writer.end_credit();
        if let Err(error) = result {
            if let Error::Protocol(problem) = &error {
                let close = Close { error: problem.clone() };
                self.session.writer.send(process_frame::Message::Close(close));
                // A worker that does not read must not hold up the end.
                let _ = self.stream.set_write_timeout(Some(Duration::from_secs(1)));
                self.session.writer.finish();
            }
            let _ = self.stream.shutdown(Shutdown::Both);
            if !self.dropping.load(Ordering::Relaxed) {
                // The main thread may have ended.
                let _ = self.ends.send(End::Lost(error));
                self.session.lose();
            }
        }
    }

    fn read(&mut self) -> Result<(), Error> {
        while let Some(message) = frame::read(&mut self.stream)? {
            if !self.dropping.load(Ordering::Relaxed) {
                self.take(message)?;
            }
        }
        if self.session.is_closed() || self.dropping.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(Error::Ended)
    }

    fn take(&mut self, message: Message) -> Result<(), Error> {
        let greets = matches!(message, Message::Hello(_) | Message::Close(_));
        if !greets && self.session.hello().is_none() {
            return Err(Error::Protocol("a message came before the Hello".into()));
        }
        match message {
            Message::Hello(hello) => self.take_hello(hello)?,
            Message::Batch(batch) => self.take_batch(batch)?,
            Message::Credit(credit) => self.session.writer.add_credit(credit.bytes),
            Message::Ping(ping) => {
                self.session.writer.send(process_frame::Message::Pong(Pong { id: ping.id }));
            }
            Message::Drain(_) => self.session.drain(),
            Message::Close(close) if close.error.is_empty() => {
                self.session.close();
                let _ = self.ends.send(End::Closed);
            }
            Message::Close(close) => return Err(Error::GivenUp(close.error)),
        }
        Ok(())
    }

    fn take_hello(&self, hello: WorkerHello) -> Result<(), Error> {
        if hello.version != PROTOCOL_VERSION {
            return Err(Error::Protocol(format!(
                "it has chosen version {}: this one speaks {PROTOCOL_VERSION}",
                hello.version
            )));
        }
        self.session.writer.add_credit(hello.byte_credit);
        if self.session.greet(hello) {
            return Ok(());
        }
        Err(Error::Protocol("a second Hello".into()))
    }

    fn take_batch(&mut self, batch: Batch) -> Result<(), Error> {
        if batch.records.is_empty() {
            return Err(Error::Protocol(format!("batch {} has no records", batch.id)));
        }
        if !self.used.add(batch.id) {
            return Err(Error::Protocol(format!("the id {} came twice", batch.id)));
        }
        match self.session.came(batch.id) {
            Arrival::Welcome => {}
            Arrival::TooLate => return Ok(()),
            Arrival::WithoutCredit => {
                return Err(Error::Protocol(format!("batch {} came without credit", batch.id)));
            }
        }
        let topic: Arc<str> = batch.topic.into();
        let records: Vec<Record> = batch
            .records
            .into_iter()
            .map(|record| Record::new(record, Arc::clone(&topic)))
            .collect();
        let ordering = self.session.hello().map_or("", |hello| hello.ordering.as_str());
        let lanes = self.workers.lanes(&records, ordering);
        self.workers.push(Arc::new(Job::new(Arc::clone(&self.session), batch.id, records, lanes)));
        Ok(())
    }
}

/// The ids of all batches. Those that follow one another take no memory.
#[derive(Default)]
pub struct UsedIds {
    /// All up to this one were used, other than 0.
    last: u64,
    others: HashSet<u64>,
}

impl UsedIds {
    /// Reports whether an id is new.
    fn add(&mut self, id: u64) -> bool {
        if (1..=self.last).contains(&id) || !self.others.insert(id) {
            return false;
        }
        while self.others.remove(&(self.last + 1)) {
            self.last += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_used_once() {
        let mut used = UsedIds::default();
        for id in [1, 2, 0, 5, 4, 3, 6, u64::MAX] {
            assert!(used.add(id), "{id}");
            assert!(!used.add(id), "{id}");
        }
        assert_eq!((used.last, used.others.len()), (6, 2));
    }
}
