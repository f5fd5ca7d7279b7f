//! A process's side of the protocol, over a socket with a worker that a test plays.

#[allow(dead_code, clippy::pedantic)]
#[path = "../src/protocol.rs"]
#[rustfmt::skip] // it is generated
mod protocol;
mod worker;

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use millrace::{Error, Failure, Output, Processor, Record, Results};
use protocol::failure::Kind;
use protocol::process_frame::Message as Sent;
use protocol::worker_frame::Message;
use protocol::{Batch, ByteCredit, Close, Drain, Ping, WorkerHello};
use worker::{frame, record, Connection, Worker, PATIENCE};

/// The program of these tests: each of them starts it from this executable. It is no test.
#[test]
#[ignore = "is the program of the other tests"]
fn program() -> Result<(), Error> {
    Processor::new()
        .threads(2)
        .max_records(100)
        .max_bytes(1000)
        .linger(Duration::from_millis(500))
        .run(act)
}

/// Does what a record's value says.
fn act(record: &Record) -> Result<Results, Failure> {
    let Some(value) = record.value() else { return Ok(().into()) };
    let value = value.clone();
    Ok(match &value[..] {
        b"same" => Output::same().into(),
        b"two" => {
            vec![Output::new("1").topic("t"), Output::null().null_key().timestamp_ms(5)].into()
        }
        b"where" => format!("{record:?}, attempt {}", record.attempt()).into(),
        b"retry" => return Err(Failure::retry_after(Duration::from_millis(1500), "busy")),
        b"permanent" => return Err(Failure::permanent("bad")),
        b"drop" => return Err(Failure::drop("bad")),
        b"dead letter" => return Err(Failure::dead_letter("t", "bad")),
        b"error" => "x".parse::<u8>()?.to_string().into(),
        b"panic" => panic!("oh {}", "no"),
        b"grenade" => std::panic::panic_any(Grenade),
        b"meet" => {
            meet();
            ().into()
        }
        path if path.starts_with(b"/") => {
            while !std::path::Path::new(record.text()?).exists() {
                std::thread::sleep(Duration::from_millis(1));
            }
            value.into()
        }
        _ => value.into(),
    })
}

/// What a panic carries, and whose drop panics again.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("again");
    }
}

/// Returns when two calls are under way at the same time.
fn meet() {
    static CALLS: (Mutex<u32>, Condvar) = (Mutex::new(0), Condvar::new());
    let mut calls = CALLS.0.lock().unwrap();
    *calls += 1;
    CALLS.1.notify_all();
    let (calls, timeout) = CALLS.1.wait_timeout_while(calls, PATIENCE, |calls| *calls < 2).unwrap();
    drop(calls);
    assert!(!timeout.timed_out(), "the other call does not come");
}

fn started(hello: &WorkerHello) -> (Worker, Connection) {
    let mut worker = Worker::start();
    let mut connection = worker.accept();
    connection.greet(hello);
    (worker, connection)
}

#[test]
fn hello() {
    let mut worker = Worker::start();
    let hello = worker.accept().greet(&worker::hello());
    assert_eq!((hello.min_version, hello.max_version), (1, 1));
    assert_eq!(hello.sdk, format!("millrace-rust {}", env!("CARGO_PKG_VERSION")));
    assert_eq!(hello.pid, i64::from(worker.program.id()));
    assert_eq!((hello.max_records, hello.max_bytes, hello.linger_ms), (100, 1000, 500));
    assert_eq!((hello.batch_credit, hello.max_frame_bytes), (3, 64 << 20));
}

#[test]
fn results() {
    let (_worker, mut connection) = started(&worker::hello());
    let mut at = record("where");
    (at.partition, at.offset, at.attempt) = (3, 42, 2);
    let mut null = record("");
    null.value = None;
    let results =
        connection.ask(1, vec![record("v"), null, record(""), record("same"), record("two"), at]);
    let outputs = |place: usize| &results[place].outputs;
    assert_eq!(outputs(0)[0].value.as_deref(), Some(&b"v"[..]));
    assert!(outputs(0)[0].same_key && outputs(0)[0].same_headers && !outputs(0)[0].same_value);
    assert!(outputs(1).is_empty() && results[1].failure.is_none());
    assert_eq!(outputs(2)[0].value.as_deref(), Some(&b""[..]));
    assert!(outputs(3)[0].same_value && outputs(3)[0].value.is_none());
    assert_eq!(outputs(4)[0].topic, "t");
    assert_eq!((&outputs(4)[1].value, &outputs(4)[1].key), (&None, &None));
    assert_eq!((outputs(4)[1].same_key, outputs(4)[1].timestamp_ms), (false, Some(5)));
    let place = "Record(topic orders, partition 3, offset 42), attempt 2";
    assert_eq!(outputs(5)[0].value.as_deref(), Some(place.as_bytes()));
}

#[test]
fn failures() {
    let (_worker, mut connection) = started(&worker::hello());
    let values = ["retry", "permanent", "drop", "dead letter", "error", "panic"];
    let results = connection.ask(1, values.into_iter().map(record).collect());
    let failures: Vec<_> = results.into_iter().map(|result| result.failure.unwrap()).collect();
    let kinds: Vec<Kind> = failures.iter().map(protocol::Failure::kind).collect();
    assert_eq!(
        kinds,
        [Kind::Retry, Kind::Permanent, Kind::Drop, Kind::DeadLetter, Kind::Retry, Kind::Retry]
    );
    assert_eq!((failures[0].retry_after_ms, &*failures[0].message), (1500, "busy"));
    assert_eq!(failures[3].dead_letter_topic, "t");
    assert_eq!(failures[4].message, "invalid digit found in string");
    assert_eq!(failures[5].message, "panic: oh no");
}

#[test]
fn records_of_a_batch_run_at_the_same_time() {
    let (_worker, mut connection) = started(&worker::hello());
    let results = connection.ask(1, vec![record("meet"), record("meet")]);
    assert!(results.iter().all(|result| result.failure.is_none()), "{results:?}");
}

#[test]
fn records_whose_order_counts_do_not() {
    let mut hello = worker::hello();
    hello.ordering = "Partition".into();
    let (_worker, mut connection) = started(&hello);
    let (first, second) = (worker::file(), worker::file());
    let values = [&first, &second].map(|file| record(file.to_str().unwrap()));
    connection.send_batch(1, values.to_vec());
    std::fs::write(&second, "").unwrap();
    connection.send(Message::Ping(Ping { id: 1 }));
    assert_eq!(connection.expect_pong(), 1);
    std::fs::write(&first, "").unwrap();
    let mut places = Vec::new();
    while places.len() < 2 {
        places.extend(connection.expect_results().results.iter().map(|result| result.index));
    }
    assert_eq!(places, [0, 1]);
}

#[test]
fn a_ping_is_answered_while_the_code_runs() {
    let (_worker, mut connection) = started(&worker::hello());
    let done = worker::file();
    for id in 1..=3 {
        connection.send_batch(id, vec![record(done.to_str().unwrap())]);
    }
    for id in 0..100 {
        connection.send(Message::Ping(Ping { id }));
        assert_eq!(connection.expect_pong(), id);
    }
    std::fs::write(&done, "").unwrap();
    assert_eq!(connection.results_of_any(3), [1, 2, 3]);
}

#[test]
fn results_wait_for_credit() {
    let mut hello = worker::hello();
    (hello.byte_credit, hello.max_frame_bytes) = (200, 100);
    let (_worker, mut connection) = started(&hello);
    let value = "v".repeat(50);
    // Each answer has 60 bytes and some, so the fourth has no credit.
    for id in 1..=3 {
        connection.ask(id, vec![record(&value)]);
    }
    connection.send_batch(4, vec![record(&value)]);
    for id in 0..10 {
        connection.send(Message::Ping(Ping { id }));
        assert_eq!(connection.expect_pong(), id);
    }
    connection.send(Message::Credit(ByteCredit { bytes: 100 }));
    assert_eq!(connection.results_of_any(1), [4]);
}

#[test]
fn results_that_are_too_large() {
    let mut hello = worker::hello();
    hello.max_frame_bytes = 1000;
    let (_worker, mut connection) = started(&hello);
    let large = || record(&"v".repeat(1000));
    connection.send_batch(1, vec![record("small"), large()]);
    let failure = loop {
        let results = connection.expect_results();
        if let Some(failure) = results.failure {
            assert!(results.results.is_empty());
            break failure;
        }
    };
    assert_eq!(failure.kind(), Kind::Retry);
    assert!(failure.message.contains("more than 1000 bytes"), "{failure:?}");
    assert!(matches!(connection.receive(), Some(Sent::Credit(_))));
    let alone = connection.ask(2, vec![large()]).remove(0).failure.unwrap();
    assert_eq!(alone.kind(), Kind::Permanent);
}

#[test]
fn drain_and_close() {
    let (mut worker, mut connection) = started(&worker::hello());
    let done = worker::file();
    connection.send_batch(1, vec![record(done.to_str().unwrap())]);
    connection.send(Message::Drain(Drain {}));
    connection.send_batch(2, vec![record("v")]);
    // The batch behind the Drain does not wait for the one before it.
    assert_eq!(connection.results_of_any(1), [2]);
    std::fs::write(&done, "").unwrap();
    assert_eq!(connection.results_of_any(1), [1]);
    assert!(matches!(connection.receive(), Some(Sent::Drained(_))));
    connection.send_batch(3, vec![record("v")]);
    connection.send(Message::Close(Close::default()));
    assert_eq!(connection.expect_results().batch, 3);
    while connection.receive().is_some() {}
    assert_eq!(worker.exit_code(), 0);
}

#[test]
fn sigterm() {
    let (mut worker, mut connection) = started(&worker::hello());
    let done = worker::file();
    connection.send_batch(1, vec![record(done.to_str().unwrap())]);
    connection.send(Message::Ping(Ping { id: 1 }));
    connection.expect_pong();
    worker.terminate();
    std::fs::write(&done, "").unwrap();
    assert_eq!(connection.expect_results().batch, 1);
    let close = loop {
        match connection.receive() {
            Some(Sent::Credit(_)) => {} // the signal may come later
            other => break other,
        }
    };
    assert!(matches!(&close, Some(Sent::Close(close)) if close.error.is_empty()), "{close:?}");
    // It reads on to the end, or the worker might lose the results, and says nothing more.
    for id in 0..100_000 {
        connection.send(Message::Ping(Ping { id }));
    }
    connection.end();
    assert!(connection.receive().is_none());
    assert_eq!(worker.exit_code(), 0);
}

#[test]
fn ends_without_a_close() {
    let (mut worker, connection) = started(&worker::hello());
    drop(connection);
    assert_ne!(worker.exit_code(), 0);
    assert!(worker.log().contains("closed the connection without a word"), "{}", worker.log());

    let (mut worker, mut connection) = started(&worker::hello());
    connection.send(Message::Close(Close { error: "too slow".into() }));
    assert_ne!(worker.exit_code(), 0);
    assert!(
        worker.log().contains("Error: the worker has given up this process: too slow"),
        "{}",
        worker.log()
    );
}

#[test]
fn gives_up_with_the_worker_while_it_closes() {
    let (mut worker, mut connection) = started(&worker::hello());
    let never = worker::file();
    connection.send_batch(1, vec![record(never.to_str().unwrap())]);
    connection.send(Message::Close(Close::default()));
    connection.send(Message::Ping(Ping { id: 1 }));
    connection.expect_pong();
    connection.send(Message::Close(Close { error: "too slow".into() }));
    assert_ne!(worker.exit_code(), 0);
    assert!(
        worker.log().contains("Error: the worker has given up this process: too slow"),
        "{}",
        worker.log()
    );
}

#[test]
fn garbage() {
    let hello = || frame(Message::Hello(worker::hello()));
    let batch = |id, records| frame(Message::Batch(Batch { id, records, ..Default::default() }));
    let mut other = worker::hello();
    other.version = 2;
    let cases = [
        (b"HTTP/1.1 400 Bad Request".to_vec(), "a frame has 1213486160 bytes"),
        (frame(Message::Ping(Ping { id: 1 })), "before the Hello"),
        (frame(Message::Hello(other)), "it has chosen version 2"),
        ([hello(), hello()].concat(), "a second Hello"),
        ([hello(), batch(1, vec![])].concat(), "batch 1 has no records"),
        (
            [hello(), batch(1, vec![record("v")]), batch(1, vec![record("v")])].concat(),
            "the id 1 came twice",
        ),
    ];
    for (bytes, problem) in cases {
        let mut worker = Worker::start();
        let mut connection = worker.accept();
        assert!(matches!(connection.receive(), Some(Sent::Hello(_))));
        connection.send_bytes(&bytes);
        let close = std::iter::from_fn(|| connection.receive()).find_map(|message| match message {
            Sent::Close(close) => Some(close.error),
            _ => None,
        });
        assert!(
            close.as_ref().is_some_and(|error| error.contains(problem)),
            "{problem}: {close:?}"
        );
        assert_ne!(worker.exit_code(), 0);
    }
}

#[test]
fn a_batch_without_credit() {
    let (mut worker, mut connection) = started(&worker::hello());
    let done = worker::file();
    for id in 1..=4 {
        connection.send_batch(id, vec![record(done.to_str().unwrap())]);
    }
    let close = connection.receive();
    assert!(
        matches!(&close, Some(Sent::Close(close)) if close.error.contains("batch 4 came without credit")),
        "{close:?}"
    );
    assert_ne!(worker.exit_code(), 0);
}

/// A thread that ends would leave its batch without an answer.
#[test]
fn a_panic_outside_of_a_call_ends_the_process() {
    let (mut worker, mut connection) = started(&worker::hello());
    connection.send_batch(1, vec![record("grenade")]);
    assert!(connection.receive().is_none());
    assert_eq!(worker.exit_code(), 101);
    assert!(worker.log().contains("millrace: the process ends, since its thread has panicked"));
}
