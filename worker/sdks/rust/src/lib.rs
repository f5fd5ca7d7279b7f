//! Write processors of Kafka records in Rust.
//!
//! A processor is a closure from a record to its results. A worker of Millrace reads from
//! Kafka, hands records to this program over a Unix socket, tries failed attempts again, writes
//! the results and the dead letters, and commits.
//!
//! ```no_run
//! fn main() -> Result<(), millrace::Error> {
//!     millrace::run(|record| Ok(record.text()?.to_uppercase()))
//! }
//! ```
//!
//! [`run`] calls the closure on a pool of threads, as many as the process has CPUs. With the
//! feature `tokio`, `run_async` awaits an async closure for many records at the same time.
//! [`Processor`] sets more.

mod dial;
mod error;
mod failure;
mod frame;
mod job;
mod output;
mod pool;
mod processor;
#[allow(missing_docs, dead_code, clippy::pedantic)]
#[rustfmt::skip] // it is generated
mod protocol;
mod queue;
mod reader;
mod record;
mod session;
#[cfg(feature = "tokio")]
mod tasks;
pub mod testing;
mod writer;

pub use error::Error;
pub use failure::Failure;
pub use output::{Output, Results};
#[cfg(feature = "tokio")]
pub use processor::run_async;
pub use processor::{run, Processor};
pub use record::{Headers, Record};

/// Its programs are compiled with the tests.
#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct Readme;
