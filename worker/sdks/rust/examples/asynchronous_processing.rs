//! Hands each record to a blocking computation, for many records at the same time.

use std::thread;
use std::time::Duration;

use millrace::{Error, Failure, Record};

fn main() -> Result<(), Error> {
    millrace::run(expensive_computation)
}

fn expensive_computation(record: &Record) -> Result<String, Failure> {
    let text = record.text()?;
    thread::sleep(Duration::from_millis(200)); // stands for the work
    Ok(format!("{text} has {} bytes", text.len()))
}
