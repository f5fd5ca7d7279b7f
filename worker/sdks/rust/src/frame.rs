//! Frames: a length in 4 bytes, and a message of as many bytes.

use std::io::{self, Read};

use bytes::Bytes;
use prost::{encode_length_delimiter, length_delimiter_len, Message};

use crate::protocol::{process_frame, worker_frame, ProcessFrame, Results, WorkerFrame};
use crate::Error;

/// The largest message that this crate takes.
pub const MAX_BYTES: usize = 64 << 20;
/// The length before each message.
pub const LENGTH_BYTES: usize = 4;

/// Returns the next message, or `None` at the end of the stream.
pub fn read(stream: &mut impl Read) -> Result<Option<worker_frame::Message>, Error> {
    let mut length = [0; LENGTH_BYTES];
    if !read_all(stream, &mut length)? {
        return Ok(None);
    }
    let length = u32::from_be_bytes(length) as usize;
    if length == 0 || length > MAX_BYTES {
        return Err(Error::Protocol(format!(
            "a frame has {length} bytes instead of 1 to {MAX_BYTES}"
        )));
    }
    let mut content = vec![0; length];
    if !read_all(stream, &mut content)? {
        return Err(Error::Connection(io::ErrorKind::UnexpectedEof.into()));
    }
    // The records refer to these bytes.
    let frame = WorkerFrame::decode(Bytes::from(content))
        .map_err(|error| Error::Protocol(format!("a frame is not Protobuf: {error}")))?;
    match frame.message {
        Some(message) => Ok(Some(message)),
        None => Err(Error::Protocol("a frame has no message that this version knows".into())),
    }
}

/// Fills a buffer. It returns false at the end of the stream, if nothing came before.
fn read_all(stream: &mut impl Read, buffer: &mut [u8]) -> Result<bool, Error> {
    let mut done = 0;
    while done < buffer.len() {
        match stream.read(&mut buffer[done..]) {
            Ok(0) if done == 0 => return Ok(false),
            Ok(0) => return Err(Error::Connection(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::Connection(error)),
        }
    }
    Ok(true)
}

/// Returns the frame of a message.
pub fn encode(message: process_frame::Message) -> Vec<u8> {
    let frame = ProcessFrame { message: Some(message) };
    let length = frame.encoded_len();
    let mut bytes = Vec::with_capacity(LENGTH_BYTES + length);
    bytes.extend(u32::try_from(length).expect("no message has 4 GiB").to_be_bytes());
    frame.encode(&mut bytes).expect("a vector grows");
    bytes
}

/// The tags of a frame's Results, and of a result in them.
const RESULTS_IN_FRAME: u8 = 2 << 3 | 2;
pub const RESULT_IN_RESULTS: u8 = 2 << 3 | 2;

/// Returns the frame of a batch's results that are encoded already.
pub fn encode_results(batch: u64, results: &[u8]) -> Vec<u8> {
    let head = Results { batch, ..Results::default() }.encode_to_vec();
    let content = head.len() + results.len();
    let length = 1 + length_delimiter_len(content) + content;
    let mut bytes = Vec::with_capacity(LENGTH_BYTES + length);
    bytes.extend(u32::try_from(length).expect("no message has 4 GiB").to_be_bytes());
    bytes.push(RESULTS_IN_FRAME);
    encode_length_delimiter(content, &mut bytes).expect("a vector grows");
    bytes.extend(head);
    bytes.extend(results);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{self, Close, Ping, Pong};

    fn read_bytes(mut bytes: &[u8]) -> Result<Option<worker_frame::Message>, Error> {
        read(&mut bytes)
    }

    #[test]
    fn a_length_is_checked_first() {
        for length in [0, u32::try_from(MAX_BYTES + 1).unwrap(), u32::MAX] {
            let error = read_bytes(&length.to_be_bytes()).unwrap_err();
            assert!(error.to_string().contains(&format!("a frame has {length} bytes")), "{error}");
        }
    }

    #[test]
    fn what_is_cut_is_an_error_but_at_the_end_of_a_frame() {
        assert!(read_bytes(b"").unwrap().is_none());
        for cut in [&b"\0\0"[..], b"\0\0\0\x05", b"\0\0\0\x05abc"] {
            assert!(matches!(read_bytes(cut), Err(Error::Connection(_))), "{cut:?}");
        }
    }

    #[test]
    fn garbage_is_an_error() {
        assert!(read_bytes(b"\0\0\0\x01\xff").unwrap_err().to_string().contains("not Protobuf"));
        assert!(read_bytes(b"\0\0\0\x02\x78\x01").unwrap_err().to_string().contains("no message"));
    }

    #[test]
    fn frames_are_read_and_written() {
        let ping = read_bytes(b"\0\0\0\x04\x22\x02\x08\x07").unwrap();
        assert_eq!(ping, Some(worker_frame::Message::Ping(Ping { id: 7 })));
        assert_eq!(
            encode(process_frame::Message::Pong(Pong { id: 7 })),
            b"\0\0\0\x04\x22\x02\x08\x07"
        );
        assert_eq!(encode(process_frame::Message::Close(Close::default())), b"\0\0\0\x02\x32\0");
    }

    #[test]
    fn encoded_results_are_those_of_a_message() {
        for (batch, count) in [(0, 0), (7, 1), (u64::MAX, 1000)] {
            let results: Vec<_> =
                (0..count).map(|index| protocol::Result { index, ..Default::default() }).collect();
            let mut encoded = Vec::new();
            for result in &results {
                encoded.push(RESULT_IN_RESULTS);
                result.encode_length_delimited(&mut encoded).unwrap();
            }
            let message = Results { batch, results, failure: None };
            assert_eq!(
                encode_results(batch, &encoded),
                encode(process_frame::Message::Results(message))
            );
        }
    }
}
