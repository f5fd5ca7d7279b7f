//! Runs a closure on records in a test, without a worker.
//!
//! ```
//! let records = [millrace::Record::with_value("hello").keyed("k")];
//! let results = millrace::testing::process(|record| Ok(record.text()?.to_uppercase()), &records);
//! let outputs = results[0].as_ref().unwrap();
//! assert_eq!(outputs[0].value.as_deref(), Some(&b"HELLO"[..]));
//! assert_eq!(outputs[0].key.as_deref(), Some(&b"k"[..]));
//! ```

#[cfg(feature = "tokio")]
use std::future::Future;

use bytes::Bytes;

use crate::protocol;
use crate::{Failure, Record, Results};

/// A record that the worker would write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The value. `None` is null.
    pub value: Option<Bytes>,
    /// The key. `None` is null.
    pub key: Option<Bytes>,
    /// The headers, in their order.
    pub headers: Vec<(Bytes, Option<Bytes>)>,
    /// The topic; "" is the manifest's output topic.
    pub topic: String,
    /// Milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
}

/// Runs a closure on records, and returns for each what is written, or its failure.
pub fn process<F, R>(process: F, records: &[Record]) -> Vec<Result<Vec<Written>, Failure>>
where
    F: Fn(&Record) -> Result<R, Failure>,
    R: Into<Results>,
{
    records
        .iter()
        .map(|record| process(record).map(|results| results.into().resolve(record)))
        .collect()
}

/// Awaits an async closure for one record after another, on a Tokio runtime, and returns for each
/// what is written, or its failure.
///
/// # Panics
/// if it is called from an async function, or the system has no room for a runtime.
#[cfg(feature = "tokio")]
pub fn process_async<F, Fut, R>(
    process: F,
    records: &[Record],
) -> Vec<Result<Vec<Written>, Failure>>
where
    F: Fn(Record) -> Fut,
    Fut: Future<Output = Result<R, Failure>>,
    R: Into<Results>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("the system has room for a runtime");
    let written = |record: &Record| {
        let results = runtime.block_on(process(record.clone()))?;
        Ok(results.into().resolve(record))
    };
    records.iter().map(written).collect()
}

impl Written {
    pub(crate) fn new(output: protocol::Output, record: &Record) -> Self {
        let own = &record.inner;
        let kept = if output.same_headers { own.headers.as_slice() } else { &[] };
        let headers = kept.iter().cloned().chain(output.headers);
        Self {
            value: if output.same_value { own.value.clone() } else { output.value },
            key: if output.same_key { own.key.clone() } else { output.key },
            headers: headers.map(|header| (header.name, header.value)).collect(),
            topic: output.topic,
            timestamp_ms: output.timestamp_ms.or(own.timestamp_ms),
        }
    }
}
