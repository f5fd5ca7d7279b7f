//! Writes frames to the worker.

use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::frame::{self, LENGTH_BYTES};
use crate::protocol::process_frame::Message;

/// Frames are joined to one write up to this size.
const WRITE_BYTES: usize = 256 << 10;

/// A few tasks may send as much at the same time.
#[cfg(feature = "tokio")]
const LITTLE_CREDIT: u64 = 8 << 20;

/// Sends frames in the order of the calls, Results only as far as there is credit for them.
///
/// No call waits for the socket, so that the reading thread goes on while the worker does not
/// read. The credit bounds what waits here. After the connection has ended, frames go nowhere:
/// the reading thread finds out why it has ended.
pub struct Writer {
    queue: Sender<Item>,
    credit: Mutex<Credit>,
    changed: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Item {
    Frame(Vec<u8>),
    /// There are no more frames.
    End,
}

#[derive(Default)]
struct Credit {
    bytes: u64,
    ended: bool,
}

impl Writer {
    pub fn new(stream: UnixStream) -> Self {
        let (queue, frames) = mpsc::channel();
        Self {
            queue,
            credit: Mutex::default(),
            changed: Condvar::new(),
            thread: Mutex::new(Some(thread::spawn(move || write(stream, &frames)))),
        }
    }

    /// Sends a message other than Results.
    pub fn send(&self, message: Message) {
        // Nobody receives after the end.
        let _ = self.queue.send(Item::Frame(frame::encode(message)));
    }

    /// Sends a frame with Results, as soon as there is credit for it.
    pub fn send_results(&self, frame: Vec<u8>) {
        let size = (frame.len() - LENGTH_BYTES) as u64;
        let credit = self.credit.lock().unwrap_or_else(PoisonError::into_inner);
        let mut credit = self
            .changed
            .wait_while(credit, |credit| credit.bytes < size && !credit.ended)
            .unwrap_or_else(PoisonError::into_inner);
        if credit.bytes >= size {
            credit.bytes -= size;
            let _ = self.queue.send(Item::Frame(frame));
        }
    }

    /// Whether the next Results may have to wait.
    #[cfg(feature = "tokio")]
    pub fn is_short_of_credit(&self) -> bool {
        self.credit.lock().unwrap_or_else(PoisonError::into_inner).bytes < LITTLE_CREDIT
    }

    /// Allows as many bytes of Results more.
    pub fn add_credit(&self, bytes: u64) {
        let mut credit = self.credit.lock().unwrap_or_else(PoisonError::into_inner);
        credit.bytes = credit.bytes.saturating_add(bytes);
        self.changed.notify_all();
    }

    /// Says that no more credit comes.
    pub fn end_credit(&self) {
        self.credit.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.changed.notify_all();
    }

    /// Waits until all frames are written, and ends this direction of the connection.
    pub fn finish(&self) {
        let _ = self.queue.send(Item::End);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn write(mut stream: UnixStream, items: &Receiver<Item>) {
    let mut buffer = Vec::new();
    while let Ok(Item::Frame(first)) = items.recv() {
        buffer.clear();
        buffer.extend(first);
        let mut ended = false;
        while !ended && buffer.len() < WRITE_BYTES {
            match items.try_recv() {
                Ok(Item::Frame(next)) => buffer.extend(next),
                Ok(Item::End) => ended = true,
                Err(_) => break,
            }
        }
        if stream.write_all(&buffer).is_err() || ended {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Write);
}
