use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::protocol;
use crate::Failure;

/// A record of Kafka. `None` is Kafka's null, and never the same as empty.
///
/// A clone shares the memory of the batch that the record came with, which lives as long.
#[derive(Clone)]
pub struct Record {
    pub(crate) inner: protocol::Record,
    /// Of the records of its batch that name no other.
    topic: Arc<str>,
}

impl Record {
    pub(crate) fn new(inner: protocol::Record, topic: Arc<str>) -> Self {
        Self { inner, topic }
    }

    /// Makes a record for a test, with an offset of 0.
    pub fn with_value(value: impl Into<Bytes>) -> Self {
        let inner =
            protocol::Record { value: Some(value.into()), attempt: 1, ..Default::default() };
        Self::new(inner, Arc::from(""))
    }

    /// Makes a record with a null value for a test.
    pub fn with_null() -> Self {
        let mut record = Self::with_value("");
        record.inner.value = None;
        record
    }

    /// Sets the key, for a test.
    #[must_use]
    pub fn keyed(mut self, key: impl Into<Bytes>) -> Self {
        self.inner.key = Some(key.into());
        self
    }

    /// Sets topic, partition and offset, for a test.
    #[must_use]
    pub fn at(mut self, topic: &str, partition: i32, offset: i64) -> Self {
        self.topic = Arc::from(topic);
        self.inner.partition = partition;
        self.inner.offset = offset;
        self
    }

    /// Adds a header, for a test.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: Option<&[u8]>) -> Self {
        self.inner.headers.push(protocol::Header {
            name: Bytes::copy_from_slice(name.as_bytes()),
            value: value.map(Bytes::copy_from_slice),
        });
        self
    }

    /// Returns the topic that the record was read from.
    pub fn topic(&self) -> &str {
        if self.inner.topic.is_empty() {
            &self.topic
        } else {
            &self.inner.topic
        }
    }

    /// Returns the partition.
    pub fn partition(&self) -> i32 {
        self.inner.partition
    }

    /// Returns the offset.
    pub fn offset(&self) -> i64 {
        self.inner.offset
    }

    /// Returns the number of this attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.inner.attempt
    }

    /// Returns the timestamp in milliseconds since 1970, if the record has one.
    pub fn timestamp_ms(&self) -> Option<i64> {
        self.inner.timestamp_ms
    }

    /// Returns the timestamp, if the record has one that the system's clock can show.
    pub fn timestamp(&self) -> Option<SystemTime> {
        let milliseconds = self.inner.timestamp_ms?;
        let distance = Duration::from_millis(milliseconds.unsigned_abs());
        if milliseconds < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(distance)
        }
    }

    /// Returns the key. A clone of the bytes shares their memory.
    pub fn key(&self) -> Option<&Bytes> {
        self.inner.key.as_ref()
    }

    /// Returns the value. A clone of the bytes shares their memory.
    pub fn value(&self) -> Option<&Bytes> {
        self.inner.value.as_ref()
    }

    /// Returns the headers in their order. Names may repeat.
    pub fn headers(&self) -> Headers<'_> {
        Headers(self.inner.headers.iter())
    }

    /// Returns the value of the last header of a name, which may be null, or `None` without one.
    pub fn header(&self, name: &str) -> Option<Option<&Bytes>> {
        let found = self.inner.headers.iter().rev().find(|header| header.name == name.as_bytes());
        found.map(|header| header.value.as_ref())
    }

    /// Returns the value as text. It fails for good if the value is null or not UTF-8.
    pub fn text(&self) -> Result<&str, Failure> {
        std::str::from_utf8(self.present("text")?)
            .map_err(|error| self.malformed(format_args!("the value is not UTF-8: {error}")))
    }

    /// Returns the value as JSON. It fails for good if the value is null or not of the type.
    #[cfg(feature = "json")]
    pub fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, Failure> {
        serde_json::from_slice(self.present("JSON")?).map_err(|error| {
            self.malformed(format_args!("the value is not the JSON wanted: {error}"))
        })
    }

    fn present(&self, wanted: &str) -> Result<&Bytes, Failure> {
        self.value().ok_or_else(|| self.malformed(format_args!("the value is null, not {wanted}")))
    }

    fn malformed(&self, problem: fmt::Arguments<'_>) -> Failure {
        Failure::permanent(format_args!("{}: {problem}", Place(self)))
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({})", Place(self))
    }
}

struct Place<'a>(&'a Record);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.0;
        write!(
            f,
            "topic {}, partition {}, offset {}",
            record.topic(),
            record.partition(),
            record.offset()
        )
    }
}

/// The headers of a record: names and values. Kafka does not check that names are UTF-8.
#[derive(Clone, Debug)]
pub struct Headers<'a>(std::slice::Iter<'a, protocol::Header>);

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a Bytes, Option<&'a Bytes>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|header| (&header.name, header.value.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_not_empty() {
        let (null, empty) = (Record::with_null(), Record::with_value("").keyed(""));
        assert_eq!((null.key(), null.value()), (None, None));
        assert_eq!((empty.key(), empty.value()), (Some(&Bytes::new()), Some(&Bytes::new())));
    }

    #[test]
    fn the_last_header_of_a_name_counts() {
        let record = Record::with_null()
            .with_header("a", Some(b"1"))
            .with_header("a", Some(b"2"))
            .with_header("null", None);
        assert_eq!(record.header("a"), Some(Some(&Bytes::from("2"))));
        assert_eq!(record.header("null"), Some(None));
        assert_eq!(record.header("none"), None);
        assert_eq!(record.headers().count(), 3);
    }

    #[test]
    fn a_malformed_value_names_its_place() {
        let record = Record::with_value(&b"\xff"[..]).at("orders", 3, 42);
        let failure = record.text().unwrap_err();
        assert!(failure
            .message()
            .starts_with("topic orders, partition 3, offset 42: the value is not UTF-8"));
        assert_eq!(failure, Failure::permanent(failure.message()));
        let null = Record::with_null().text().unwrap_err();
        assert!(null.message().ends_with("the value is null, not text"));
    }

    #[test]
    fn timestamps() {
        let mut record = Record::with_null();
        assert_eq!(record.timestamp(), None);
        record.inner.timestamp_ms = Some(-1500);
        assert_eq!(record.timestamp(), Some(SystemTime::UNIX_EPOCH - Duration::from_millis(1500)));
        record.inner.timestamp_ms = Some(0);
        assert_eq!(record.timestamp(), Some(SystemTime::UNIX_EPOCH));
    }

    #[cfg(feature = "json")]
    #[test]
    fn json() {
        let record = Record::with_value(r#"{"name": "Ann"}"#);
        let value: std::collections::HashMap<&str, &str> = record.json().unwrap();
        assert_eq!(value["name"], "Ann");
        assert!(record
            .json::<u32>()
            .unwrap_err()
            .message()
            .contains("the value is not the JSON wanted"));
    }
}
