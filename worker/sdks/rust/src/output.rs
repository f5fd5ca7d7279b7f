use bytes::Bytes;

use crate::protocol;
use crate::Record;

/// One record to write. Without more than a value it has the input record's key, headers and
/// timestamp, and goes to the manifest's output topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    inner: protocol::Output,
}

impl Output {
    /// Makes an output with a value.
    pub fn new(value: impl Into<Bytes>) -> Self {
        let mut output = Self::null();
        output.inner.value = Some(value.into());
        output
    }

    /// Makes an output with a null value, which is a tombstone in a compacted topic.
    pub fn null() -> Self {
        let inner = protocol::Output { same_key: true, same_headers: true, ..Default::default() };
        Self { inner }
    }

    /// Makes an output that is the input record as it is.
    pub fn same() -> Self {
        let mut output = Self::null();
        output.inner.same_value = true;
        output
    }

    /// Makes an output whose value is JSON.
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self, crate::Failure> {
        Ok(Self::new(serde_json::to_vec(value)?))
    }

    /// Replaces the key.
    #[must_use]
    pub fn key(mut self, key: impl Into<Bytes>) -> Self {
        self.inner.same_key = false;
        self.inner.key = Some(key.into());
        self
    }

    /// Makes the key null.
    #[must_use]
    pub fn null_key(mut self) -> Self {
        self.inner.same_key = false;
        self.inner.key = None;
        self
    }

    /// Leaves out the input record's headers.
    #[must_use]
    pub fn without_headers(mut self) -> Self {
        self.inner.same_headers = false;
        self
    }

    /// Adds a header behind the others. `None` is null.
    #[must_use]
    pub fn header(mut self, name: impl Into<Bytes>, value: Option<Bytes>) -> Self {
        self.inner.headers.push(protocol::Header { name: name.into(), value });
        self
    }

    /// Sets the topic to write to.
    #[must_use]
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.inner.topic = topic.into();
        self
    }

    /// Sets the timestamp, in milliseconds since 1970.
    #[must_use]
    pub fn timestamp_ms(mut self, timestamp: i64) -> Self {
        self.inner.timestamp_ms = Some(timestamp);
        self
    }
}

/// What a closure returns for a record that has not failed.
///
/// `()` and `None` filter the record, bytes and text are the value of one output, and a `Vec` of
/// outputs is written as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results(pub(crate) Vec<protocol::Output>);

impl From<()> for Results {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl From<Output> for Results {
    fn from(output: Output) -> Self {
        Self(vec![output.inner])
    }
}

impl From<Vec<Output>> for Results {
    fn from(outputs: Vec<Output>) -> Self {
        Self(outputs.into_iter().map(|output| output.inner).collect())
    }
}

impl<T: Into<Results>> From<Option<T>> for Results {
    fn from(output: Option<T>) -> Self {
        output.map_or_else(Self::default, Into::into)
    }
}

macro_rules! from_values {
    ($($value:ty),+) => {$(
        impl From<$value> for Results {
            fn from(value: $value) -> Self {
                Output::new(value).into()
            }
        }
    )+};
}

from_values!(Bytes, Vec<u8>, String, &'static str);

/// The outputs of a record, as `testing` returns them.
impl Results {
    pub(crate) fn resolve(self, record: &Record) -> Vec<crate::testing::Written> {
        self.0.into_iter().map(|output| crate::testing::Written::new(output, record)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_closure_may_return() {
        let same = |value: Option<&'static str>| protocol::Output {
            value: value.map(Bytes::from),
            same_key: true,
            same_headers: true,
            ..Default::default()
        };
        assert_eq!(Results::from(()).0, []);
        assert_eq!(Results::from(None::<Vec<u8>>).0, []);
        assert_eq!(Results::from("v").0, [same(Some("v"))]);
        assert_eq!(Results::from(String::from("v")).0, [same(Some("v"))]);
        assert_eq!(Results::from(vec![b'v']).0, [same(Some("v"))]);
        assert_eq!(Results::from(Some(Bytes::new())).0, [same(Some(""))]);
        assert_eq!(Results::from(Output::null()).0, [same(None)]);
        assert_eq!(Results::from(vec![Output::new("a"), Output::new("b")]).0.len(), 2);
    }

    #[test]
    fn a_part_is_set_or_the_same_and_never_both() {
        let output = Output::new("v").key("k").without_headers().header("h", None).inner;
        assert_eq!((output.same_key, output.key), (false, Some(Bytes::from("k"))));
        assert_eq!((output.same_headers, output.headers.len()), (false, 1));
        let output = Output::same().null_key().inner;
        assert_eq!((output.same_value, output.same_key, output.key), (true, false, None));
    }
}
