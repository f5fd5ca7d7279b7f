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
//! [`run`] calls the closure on a pool of threads, as many as the process has CPUs.
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
mod reader;
mod record;
mod session;
pub mod testing;
mod writer;

pub use error::Error;
pub use failure::Failure;
pub use output::{Output, Results};
pub use processor::{run, Processor};
pub use record::{Headers, Record};

/// Its programs are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
