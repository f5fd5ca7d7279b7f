//! The frames of the protocol's test vectors.

#[allow(dead_code, clippy::pedantic)]
#[path = "../src/protocol.rs"]
#[rustfmt::skip] // it is generated
mod protocol;

use prost::Message;
use protocol::{ProcessFrame, WorkerFrame};

#[derive(serde::Deserialize)]
struct Vector {
    name: String,
    from: String,
    hex: String,
}

/// The encodings of the vectors have their fields in the order of their numbers, as those of this
/// crate have: so a message that was read in full is written with the same bytes.
#[test]
fn vectors() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/vectors.json");
    let vectors: Vec<Vector> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(vectors.len() > 20);
    for Vector { name, from, hex } in vectors {
        let frame = bytes_of(&hex);
        let message = &frame[4..];
        let again = if from == "worker" {
            WorkerFrame::decode(message).unwrap().encode_to_vec()
        } else {
            ProcessFrame::decode(message).unwrap().encode_to_vec()
        };
        assert_eq!(again, message, "{name}");
    }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
