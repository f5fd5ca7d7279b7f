use std::env;
#[cfg(feature = "tokio")]
use std::future::Future;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::frame;
use crate::pool::{Code, Each, Pool, Whole};
use crate::protocol::{process_frame::Message, Close, ProcessHello};
use crate::queue::Workers;
use crate::reader::{Reader, UsedIds, PROTOCOL_VERSION};
use crate::session::{End, Session};
#[cfg(feature = "tokio")]
use crate::tasks::Tasks;
use crate::writer::Writer;
use crate::{dial, Error, Failure, Record, Results};

/// For how many records an async closure is awaited at the same time.
#[cfg(feature = "tokio")]
const DEFAULT_CONCURRENCY: usize = 100;

/// Runs a closure on the records of a worker, on as many threads as the process has CPUs.
///
/// This is the last thing that a program does: it returns when the worker closes, or when
/// SIGTERM or SIGINT asks for the end and all records in hand are answered.
///
/// ```no_run
/// # fn main() -> Result<(), millrace::Error> {
/// millrace::run(|record| Ok(record.text()?.to_uppercase()))
/// # }
/// ```
pub fn run<F, R>(process: F) -> Result<(), Error>
where
    F: Fn(&Record) -> Result<R, Failure> + Send + Sync + 'static,
    R: Into<Results>,
{
    Processor::new().run(process)
}

/// Awaits an async closure for the records of a worker, for as many at the same time as
/// [`Processor::concurrency`] says, on a Tokio runtime that it makes.
///
/// It ends as [`run`] does. Where the connection ends before all records are answered, the
/// futures that are left are dropped.
///
/// ```no_run
/// # fn main() -> Result<(), millrace::Error> {
/// millrace::run_async(|record| async move { Ok(record.text()?.to_uppercase()) })
/// # }
/// ```
#[cfg(feature = "tokio")]
pub fn run_async<F, Fut, R>(process: F) -> Result<(), Error>
where
    F: Fn(Record) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Failure>> + Send + 'static,
    R: Into<Results> + 'static,
{
    Processor::new().run_async(process)
}

/// Says how a closure is run.
#[derive(Clone, Debug, Default)]
pub struct Processor {
    threads: Option<usize>,
    #[cfg(feature = "tokio")]
    concurrency: Option<usize>,
    max_records: u32,
    max_bytes: u64,
    linger: Duration,
}

impl Processor {
    /// Leaves everything to the machine and the manifest.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many threads call the closure, or poll its futures. The default is the number
    /// of CPUs.
    ///
    /// # Panics
    /// if there are none.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        assert!(threads > 0, "a processor needs at least one thread");
        self.threads = Some(threads);
        self
    }

    /// Sets for how many records an async closure is awaited at the same time. The default is
    /// 100. The worker's `concurrency` and the size of its batches bound it too.
    ///
    /// # Panics
    /// if it is 0.
    #[cfg(feature = "tokio")]
    #[must_use]
    pub fn concurrency(mut self, records: usize) -> Self {
        assert!(records > 0, "a processor needs a concurrency of at least one record");
        self.concurrency = Some(records);
        self
    }

    /// Asks for batches of at most so many records. The manifest goes first where it sets it.
    #[must_use]
    pub fn max_records(mut self, records: u32) -> Self {
        self.max_records = records;
        self
    }

    /// Asks for batches of at most so many bytes. The manifest goes first where it sets it.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Asks to wait at most this long for a full batch. The manifest goes first where it sets it.
    #[must_use]
    pub fn linger(mut self, wait: Duration) -> Self {
        self.linger = wait;
        self
    }

    /// Runs a closure on one record after another, on many threads. Under the manifest's ordering
    /// by key or partition, records whose order counts run one after another.
    pub fn run<F, R>(self, process: F) -> Result<(), Error>
    where
        F: Fn(&Record) -> Result<R, Failure> + Send + Sync + 'static,
        R: Into<Results>,
    {
        self.run_code(Arc::new(Each(move |record: &Record| process(record).map(Into::into))))
    }

    /// Runs a closure on batches. It returns a result for each record, in their order. A failure
    /// that it returns as a whole fails the batch, and the worker tries smaller ones.
    pub fn run_batches<F>(self, process: F) -> Result<(), Error>
    where
        F: Fn(&[Record]) -> Result<Vec<Result<Results, Failure>>, Failure> + Send + Sync + 'static,
    {
        self.run_code(Arc::new(Whole(process)))
    }

    /// Awaits an async closure for many records at the same time, on a Tokio runtime that it
    /// makes. Under the manifest's ordering by key or partition, records whose order counts run
    /// one after another. A panic fails its record.
    #[cfg(feature = "tokio")]
    pub fn run_async<F, Fut, R>(self, process: F) -> Result<(), Error>
    where
        F: Fn(Record) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Failure>> + Send + 'static,
        R: Into<Results> + 'static,
    {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(Error::Environment(
                "run_async makes a runtime: call it from a main that is not async itself".into(),
            ));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.threads.unwrap_or_else(cpus))
            .thread_name("millrace")
            .enable_all()
            .build()
            .map_err(|error| Error::Environment(format!("making a Tokio runtime: {error}")))?;
        let concurrency = self.concurrency.unwrap_or(DEFAULT_CONCURRENCY);
        let tasks = Tasks::start(concurrency, runtime.handle(), process);
        let end = self.serve(&(tasks as Arc<dyn Workers>), concurrency);
        // Futures that are left are of no use. One that blocks its thread holds up nobody.
        runtime.shutdown_timeout(Duration::from_secs(1));
        end
    }

    fn run_code(self, code: Arc<dyn Code>) -> Result<(), Error> {
        let threads = self.threads.unwrap_or_else(cpus);
        self.serve(&(Pool::start(threads, code) as Arc<dyn Workers>), threads)
    }

    /// Connects, and lets workers answer until the end. They work on so many records at once.
    fn serve(self, workers: &Arc<dyn Workers>, at_once: usize) -> Result<(), Error> {
        let socket = socket()?;
        let connections = connections()?;
        let (ends, ended) = mpsc::channel();
        stop_on_signals(ends.clone())?;
        let hello = self.hello(at_once, connections);
        let mut open = Vec::new();
        let mut ending = false;
        while !ending && open.len() < connections {
            match dial::connect(&socket, &ended)? {
                Some(stream) => open.push(Connection::open(stream, &hello, workers, &ends)?),
                None => ending = true,
            }
        }
        if !ending {
            wait_for_end(&ended)?;
        }
        for connection in open {
            connection.close();
        }
        // The worker may have given this process up while it answered the last batches.
        ended.try_iter().find_map(lost).map_or(Ok(()), Err)
    }

    fn hello(&self, at_once: usize, connections: usize) -> ProcessHello {
        // A batch may have one record, and the next one is there.
        let credit = at_once.div_ceil(connections) + 1;
        ProcessHello {
            min_version: PROTOCOL_VERSION,
            max_version: PROTOCOL_VERSION,
            sdk: concat!("millrace-rust ", env!("CARGO_PKG_VERSION")).into(),
            pid: std::process::id().into(),
            max_records: self.max_records,
            max_bytes: self.max_bytes,
            linger_ms: u32::try_from(self.linger.as_millis()).unwrap_or(u32::MAX),
            batch_credit: u32::try_from(credit).unwrap_or(u32::MAX),
            max_frame_bytes: frame::MAX_BYTES as u64,
            ..Default::default()
        }
    }
}

/// Waits until the process has to end.
fn wait_for_end(ended: &Receiver<End>) -> Result<(), Error> {
    // The worker closes all connections or none, so the others end too.
    ended.recv().ok().and_then(lost).map_or(Ok(()), Err)
}

fn lost(end: End) -> Option<Error> {
    match end {
        End::Lost(error) => Some(error),
        End::Closed | End::Stop => None,
    }
}

struct Connection {
    stream: UnixStream,
    session: Arc<Session>,
    dropping: Arc<AtomicBool>,
    reader: JoinHandle<()>,
}

impl Connection {
    fn open(
        stream: UnixStream,
        hello: &ProcessHello,
        workers: &Arc<dyn Workers>,
        ends: &Sender<End>,
    ) -> Result<Self, Error> {
        let clone = || stream.try_clone().map_err(Error::Connection);
        let writer = Writer::new(clone()?);
        writer.send(Message::Hello(hello.clone()));
        let session = Arc::new(Session::new(writer, hello.batch_credit));
        let dropping = Arc::new(AtomicBool::new(false));
        let reader = Reader {
            stream: clone()?,
            session: Arc::clone(&session),
            workers: Arc::clone(workers),
            ends: ends.clone(),
            dropping: Arc::clone(&dropping),
            used: UsedIds::default(),
        };
        Ok(Self { stream, session, dropping, reader: thread::spawn(move || reader.run()) })
    }

    /// Answers all batches and ends the connection in good order.
    fn close(self) {
        self.session.finish_batches();
        self.dropping.store(true, Ordering::Relaxed);
        if self.session.is_closed() {
            self.session.writer.finish();
            let _ = self.stream.shutdown(Shutdown::Both);
        } else {
            // What still comes is read and dropped: the worker might lose results that it has not
            // read yet if the socket were closed before.
            self.session.writer.send(Message::Close(Close::default()));
            self.session.writer.finish();
        }
        let _ = self.reader.join();
    }
}

fn socket() -> Result<String, Error> {
    match env::var("MILLRACE_SOCKET") {
        Ok(socket) if !socket.is_empty() => Ok(socket),
        _ => Err(Error::Environment(
            "MILLRACE_SOCKET is not set: the worker sets it for the programs that it runs. Start \
             this one by millrace run --sidecar, or test it with millrace::testing"
                .into(),
        )),
    }
}

/// Returns how many connections to make. The threads of this process work for all of them.
fn connections() -> Result<usize, Error> {
    let Ok(value) = env::var("MILLRACE_PROCESSES") else { return Ok(1) };
    value.parse().ok().filter(|&count| count > 0).ok_or_else(|| {
        Error::Environment(format!("MILLRACE_PROCESSES is {value:?}: it has to be a number from 1"))
    })
}

fn cpus() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Lets the first signal end the process in good order, and the second one at once.
fn stop_on_signals(ends: Sender<End>) -> Result<(), Error> {
    let mut signals = Signals::new([SIGTERM, SIGINT])
        .map_err(|error| Error::Environment(format!("handling signals: {error}")))?;
    thread::spawn(move || {
        let mut signals = signals.forever();
        signals.next();
        let _ = ends.send(End::Stop);
        signals.next();
        std::process::exit(1);
    });
    Ok(())
}
