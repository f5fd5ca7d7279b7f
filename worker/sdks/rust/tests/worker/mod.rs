//! Plays the worker's side.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;

use crate::protocol::process_frame::Message as Sent;
use crate::protocol::worker_frame::Message;
use crate::protocol::{self, Batch, ProcessFrame, ProcessHello, Record, WorkerFrame, WorkerHello};

/// Nothing takes as long, unless it has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A worker with a program.
pub struct Worker {
    pub program: Child,
    listener: UnixListener,
    log: PathBuf,
}

impl Worker {
    /// Listens, and starts the program of the tests.
    pub fn start() -> Self {
        let (socket, log) = (file(), file());
        let listener = UnixListener::bind(&socket).unwrap();
        let program = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "program", "--ignored", "--nocapture"])
            .env("MILLRACE_SOCKET", &socket)
            .env_remove("MILLRACE_PROCESSES")
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { program, listener, log }
    }

    pub fn accept(&mut self) -> Connection {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Connection { stream }
    }

    pub fn terminate(&self) {
        let status = Command::new("kill").arg(self.program.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    pub fn exit_code(&mut self) -> i32 {
        self.program.wait().unwrap().code().unwrap()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The worker's end of a connection.
pub struct Connection {
    stream: UnixStream,
}

impl Connection {
    pub fn send(&mut self, message: Message) {
        self.send_bytes(&frame(message));
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub fn send_batch(&mut self, id: u64, records: Vec<Record>) {
        self.send(Message::Batch(Batch { id, topic: "orders".into(), timeout_ms: 0, records }));
    }

    /// Returns the next message, or `None` at the end.
    pub fn receive(&mut self) -> Option<Sent> {
        let mut length = [0; 4];
        // The process may have left something unread, which is an error here.
        self.stream.read_exact(&mut length).ok()?;
        let mut content = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut content).unwrap();
        ProcessFrame::decode(Bytes::from(content)).unwrap().message
    }

    pub fn greet(&mut self, hello: &WorkerHello) -> ProcessHello {
        let Some(Sent::Hello(theirs)) = self.receive() else { panic!("no Hello") };
        self.send(Message::Hello(hello.clone()));
        theirs
    }

    pub fn expect_pong(&mut self) -> u64 {
        match self.receive() {
            Some(Sent::Pong(pong)) => pong.id,
            other => panic!("{other:?} instead of a Pong"),
        }
    }

    pub fn expect_results(&mut self) -> protocol::Results {
        loop {
            match self.receive() {
                Some(Sent::Results(results)) => return results,
                Some(Sent::Credit(_)) => {}
                other => panic!("{other:?} instead of Results"),
            }
        }
    }

    /// Returns the results of a batch, in the order of its records, and takes the credit.
    pub fn ask(&mut self, id: u64, records: Vec<Record>) -> Vec<protocol::Result> {
        let count = records.len();
        self.send_batch(id, records);
        let mut found = Vec::new();
        while found.len() < count {
            let results = self.expect_results();
            assert_eq!((results.batch, &results.failure), (id, &None));
            found.extend(results.results);
        }
        assert!(matches!(self.receive(), Some(Sent::Credit(credit)) if credit.batches == 1));
        found.sort_by_key(|result| result.index);
        found
    }

    /// Returns the ids of the next batches that are answered with their credit, sorted.
    pub fn results_of_any(&mut self, count: usize) -> Vec<u64> {
        let (mut ids, mut credits) = (Vec::new(), 0);
        while credits < count {
            match self.receive() {
                Some(Sent::Results(results)) => ids.push(results.batch),
                Some(Sent::Credit(_)) => credits += 1,
                other => panic!("{other:?} instead of Results"),
            }
        }
        ids.sort_unstable();
        ids
    }

    /// Ends the worker's direction.
    pub fn end(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }
}

pub fn hello() -> WorkerHello {
    WorkerHello {
        version: 1,
        ordering: "Unordered".into(),
        topic: "orders".into(),
        byte_credit: 1 << 30,
        max_frame_bytes: 1 << 20,
        ..Default::default()
    }
}

pub fn record(value: &str) -> Record {
    Record {
        value: Some(Bytes::copy_from_slice(value.as_bytes())),
        attempt: 1,
        ..Default::default()
    }
}

pub fn frame(message: Message) -> Vec<u8> {
    let content = WorkerFrame { message: Some(message) }.encode_to_vec();
    [&u32::try_from(content.len()).unwrap().to_be_bytes()[..], &content].concat()
}

/// Returns the path of a file that does not exist.
pub fn file() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("millrace-{}-{number}", std::process::id()));
    let _ = fs::remove_file(&path);
    path
}
