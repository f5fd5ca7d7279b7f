use std::fmt::{self, Write};
use std::time::Duration;

use crate::protocol::{self, failure::Kind};

/// A worker keeps as many bytes of a message and of a detail.
const MESSAGE_BYTES: usize = 1024;
const DETAIL_BYTES: usize = 16 * 1024;

/// Why an attempt has failed, and what becomes of the record.
///
/// `?` makes a [`Failure::retry`] of any error, with its sources as the detail.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub(crate) inner: protocol::Failure,
}

impl Failure {
    /// The worker tries again, as the manifest says.
    pub fn retry(message: impl fmt::Display) -> Self {
        Self::new(Kind::Retry, &message.to_string())
    }

    /// The worker tries again, after this time at the earliest.
    ///
    /// The attempt counts: a record that has had all its attempts is exhausted all the same.
    pub fn retry_after(wait: Duration, message: impl fmt::Display) -> Self {
        let mut failure = Self::retry(message);
        // 0 would leave the wait to the manifest.
        let milliseconds = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1);
        failure.inner.retry_after_ms = milliseconds;
        failure
    }

    /// Another attempt can't succeed: the record is exhausted at once.
    pub fn permanent(message: impl fmt::Display) -> Self {
        Self::new(Kind::Permanent, &message.to_string())
    }

    /// The record is worthless: the worker drops and counts it. To leave out a record that is
    /// all right, return no output.
    pub fn drop(message: impl fmt::Display) -> Self {
        Self::new(Kind::Drop, &message.to_string())
    }

    /// The record becomes a dead letter in this topic at once. The topic is on the cluster of
    /// the other dead letters, and has to exist.
    pub fn dead_letter(topic: impl Into<String>, message: impl fmt::Display) -> Self {
        let mut failure = Self::new(Kind::DeadLetter, &message.to_string());
        failure.inner.dead_letter_topic = topic.into();
        failure
    }

    /// Adds what the dead letter tells beside the message, such as a backtrace. The worker keeps
    /// the first 16 KiB.
    #[must_use]
    pub fn with_detail(mut self, detail: impl fmt::Display) -> Self {
        cut(&detail.to_string(), DETAIL_BYTES).clone_into(&mut self.inner.detail);
        self
    }

    /// Returns the message.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    fn new(kind: Kind, message: &str) -> Self {
        let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
        Self {
            inner: protocol::Failure {
                kind: kind.into(),
                message: cut(&line, MESSAGE_BYTES).to_owned(),
                ..Default::default()
            },
        }
    }
}

/// A `Failure` is no `Error` itself: it could not be made of any other error then.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut detail = String::new();
        let mut source = error.source();
        while let Some(cause) = source {
            let _ = writeln!(detail, "caused by: {cause}");
            source = cause.source();
        }
        Self::retry(error).with_detail(detail)
    }
}

fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_are_those_of_the_protocol() {
        let kinds = [
            Failure::retry("m"),
            Failure::permanent("m"),
            Failure::drop("m"),
            Failure::dead_letter("t", "m"),
        ];
        let numbers: Vec<i32> = kinds.iter().map(|failure| failure.inner.kind).collect();
        assert_eq!(numbers, [0, 1, 2, 3]);
        assert_eq!(kinds[3].inner.dead_letter_topic, "t");
    }

    #[test]
    fn a_wait_is_never_the_manifests() {
        let wait = |duration| Failure::retry_after(duration, "").inner.retry_after_ms;
        assert_eq!(wait(Duration::from_millis(1500)), 1500);
        assert_eq!(wait(Duration::ZERO), 1);
        assert_eq!(wait(Duration::MAX), u32::MAX);
    }

    #[test]
    fn an_error_is_retried_and_names_its_sources() {
        let failure = Failure::from(crate::Error::Connection(std::io::Error::other("refused")));
        assert_eq!(failure.inner.kind, 0);
        assert_eq!(failure.inner.detail, "caused by: refused\n");
    }

    #[test]
    fn a_message_is_one_short_line() {
        assert_eq!(Failure::retry("two\nlines").message(), "two lines");
        assert_eq!(Failure::retry("ä".repeat(1000)).message().len(), 1024);
        assert_eq!(Failure::retry(format!("a{}", "ä".repeat(1000))).message().len(), 1023);
        assert_eq!(Failure::retry("").with_detail("x".repeat(20_000)).inner.detail.len(), 16_384);
    }
}
