//! Async closures, over a socket with a worker that a test plays.
#![cfg(feature = "tokio")]

#[allow(dead_code, clippy::pedantic)]
#[path = "../src/protocol.rs"]
#[rustfmt::skip] // it is generated
mod protocol;
#[allow(dead_code)]
mod worker;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use millrace::{Error, Failure, Processor, Record, Results};
use protocol::worker_frame::Message;
use protocol::{Close, Ping, WorkerHello};
use tokio::sync::Barrier;
use tokio::time::sleep;
use worker::{record, Connection, Worker, PATIENCE};

const CONCURRENCY: usize = 3;

/// The program of these tests: each of them starts it from this executable. It is no test.
#[test]
#[ignore = "is the program of the other tests"]
fn program() -> Result<(), Error> {
    Processor::new().threads(1).concurrency(CONCURRENCY).run_async(|record| {
        assert!(record.value().is_none_or(|value| value != "early"), "oh early");
        act(record)
    })
}

static RUNNING: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
static ALL: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(CONCURRENCY));

/// Does what a record's value says.
async fn act(record: Record) -> Result<Results, Failure> {
    let text = record.text()?;
    let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
    match command {
        "panic" => {
            sleep(Duration::from_millis(1)).await;
            panic!("oh {}", "no");
        }
        "error" => Err("x".parse::<u8>().unwrap_err())?,
        "meet" => {
            ALL.wait().await;
        }
        "run" => {
            MOST.fetch_max(1 + RUNNING.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
            sleep(Duration::from_millis(1)).await;
            RUNNING.fetch_sub(1, Ordering::SeqCst);
        }
        "most" => return Ok(MOST.load(Ordering::SeqCst).to_string().into()),
        "hold" => {
            while !Path::new(rest).exists() {
                sleep(Duration::from_millis(1)).await;
            }
        }
        "touch" => fs::write(rest, "")?,
        "guard" => {
            let _guard = Guard(rest.into());
            fs::write(Path::new(rest).with_extension("on"), "")?;
            std::future::pending::<()>().await;
        }
        _ => {}
    }
    Ok(record.value().cloned().into())
}

/// Makes a file when it is dropped.
struct Guard(PathBuf);

impl Drop for Guard {
    fn drop(&mut self) {
        fs::write(&self.0, "").unwrap();
    }
}

fn started(hello: &WorkerHello) -> (Worker, Connection) {
    let mut worker = Worker::start();
    let mut connection = worker.accept();
    connection.greet(hello);
    (worker, connection)
}

fn await_file(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < PATIENCE, "{} does not come", path.display());
        std::thread::yield_now();
    }
}

fn naming(command: &str, path: &Path) -> protocol::Record {
    record(&format!("{command} {}", path.display()))
}

#[test]
fn a_panic_fails_its_record_alone() {
    let (_worker, mut connection) = started(&worker::hello());
    let results =
        connection.ask(1, ["a", "panic", "early", "error", "b"].into_iter().map(record).collect());
    let messages: Vec<_> =
        results.iter().map(|result| result.failure.as_ref().map(|f| &*f.message)).collect();
    let (panic, early) = (Some("panic: oh no"), Some("panic: oh early"));
    assert_eq!(messages, [None, panic, early, Some("invalid digit found in string"), None]);
    assert_eq!(results[4].outputs[0].value.as_deref(), Some(&b"b"[..]));
    // The tasks work on.
    assert_eq!(connection.ask(2, (0..10).map(|_| record("v")).collect()).len(), 10);
}

#[test]
fn as_many_run_at_the_same_time_as_they_may() {
    let (_worker, mut connection) = started(&worker::hello());
    // There is one thread, so they meet only if they are awaited at the same time.
    connection.ask(1, (0..CONCURRENCY).map(|_| record("meet")).collect());
    connection.ask(2, (0..100).map(|_| record("run")).collect());
    let most = connection.ask(3, vec![record("most")]).remove(0).outputs.remove(0).value.unwrap();
    assert_eq!(most, CONCURRENCY.to_string());
}

#[test]
fn records_of_a_key_run_in_order() {
    let mut hello = worker::hello();
    hello.ordering = "Key".into();
    let (_worker, mut connection) = started(&hello);
    let done = worker::file();
    let of = |key: &'static str, mut record: protocol::Record| {
        record.key = Some(key.into());
        record
    };
    let records = vec![of("a", naming("hold", &done)), of("a", record("v")), of("b", record("v"))];
    connection.send_batch(1, records);
    let place = |connection: &mut Connection| connection.expect_results().results[0].index;
    assert_eq!(place(&mut connection), 2);
    fs::write(&done, "").unwrap();
    let mut places = Vec::new();
    while places.len() < 2 {
        places.extend(connection.expect_results().results.iter().map(|result| result.index));
    }
    assert_eq!(places, [0, 1]);
}

#[test]
fn results_do_not_wait_for_a_slow_record() {
    let mut hello = worker::hello();
    hello.ordering = "Partition".into();
    let (_worker, mut connection) = started(&hello);
    let done = worker::file();
    connection.send_batch(1, vec![record("v"), naming("hold", &done)]);
    assert_eq!(connection.expect_results().results[0].index, 0);
    fs::write(&done, "").unwrap();
    assert_eq!(connection.expect_results().results[0].index, 1);
}

#[test]
fn results_without_credit_hold_up_no_other_task() {
    let mut hello = worker::hello();
    (hello.byte_credit, hello.max_frame_bytes) = (1, 1000);
    let (_worker, mut connection) = started(&hello);
    connection.send_batch(1, vec![record("v")]);
    let file = worker::file();
    connection.send_batch(2, vec![naming("touch", &file)]);
    await_file(&file);
}

#[test]
fn a_lost_connection_drops_the_futures() {
    let (mut worker, mut connection) = started(&worker::hello());
    let dropped = worker::file();
    connection.send_batch(1, vec![naming("guard", &dropped)]);
    await_file(&dropped.with_extension("on"));
    drop(connection);
    assert_ne!(worker.exit_code(), 0);
    assert!(dropped.exists());
    assert!(worker.log().contains("closed the connection without a word"), "{}", worker.log());
}

#[test]
fn a_drain_ends_when_the_worker_gives_up() {
    let (mut worker, mut connection) = started(&worker::hello());
    let dropped = worker::file();
    connection.send_batch(1, vec![naming("guard", &dropped), record("v")]);
    await_file(&dropped.with_extension("on"));
    connection.send(Message::Close(Close::default()));
    // What can be answered is answered.
    assert_eq!(connection.expect_results().results[0].index, 1);
    connection.send(Message::Ping(Ping { id: 1 }));
    connection.expect_pong();
    connection.send(Message::Close(Close { error: "too slow".into() }));
    assert_ne!(worker.exit_code(), 0);
    assert!(dropped.exists());
    assert!(
        worker.log().contains("Error: the worker has given up this process: too slow"),
        "{}",
        worker.log()
    );
}

#[test]
fn an_async_main_is_told() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(async { millrace::run_async(act) }).unwrap_err();
    assert!(error.to_string().contains("call it from a main that is not async"), "{error}");
}
