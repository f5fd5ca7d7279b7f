//! The test program of the protocol's specification, which `millrace conformance` drives. With
//! the argument `async` it runs an async closure.

use std::fmt::Write;
use std::thread;
use std::time::Duration;

use millrace::{Error, Failure, Output, Record, Results};
use serde_json::json;

fn main() -> Result<(), Error> {
    if std::env::args().nth(1).as_deref() == Some("async") {
        millrace::run_async(act_async)
    } else {
        millrace::run(act)
    }
}

async fn act_async(record: Record) -> Result<Results, Failure> {
    let pause = record.text().ok().and_then(|text| text.strip_prefix("sleep "));
    if let Some(milliseconds) = pause {
        tokio::time::sleep(Duration::from_millis(milliseconds.parse()?)).await;
        return Ok(Output::same().into());
    }
    act(&record)
}

/// Does what the value says, up to the first space.
fn act(record: &Record) -> Result<Results, Failure> {
    let value = record.value().cloned().unwrap_or_default();
    let text = String::from_utf8_lossy(&value);
    let (command, rest) = text.split_once(' ').unwrap_or((&text, ""));
    Ok(match command {
        "filter" => ().into(),
        "describe" => describe(record).into(),
        "outputs" => (0..rest.parse()?)
            .map(|number: u32| Output::new(number.to_string()))
            .collect::<Vec<_>>()
            .into(),
        "tombstone" => Output::null().into(),
        "empty" => Output::new("").key("").into(),
        "topic" => Output::new(value.clone()).topic(rest).into(),
        "large" => "x".repeat(rest.parse()?).into(),
        "sleep" => {
            thread::sleep(Duration::from_millis(rest.parse()?));
            Output::same().into()
        }
        "fail" => return Err(Failure::retry(rest)),
        "permanent" => return Err(Failure::permanent(rest)),
        "drop" => return Err(Failure::drop(rest)),
        "retry-after" => {
            let wait = Duration::from_millis(rest.parse()?);
            return Err(Failure::retry_after(wait, "later"));
        }
        "dead-letter" => return Err(Failure::dead_letter(rest, "elsewhere")),
        "exit" => std::process::exit(3),
        _ => Output::same().into(),
    })
}

fn describe(record: &Record) -> String {
    let headers: Vec<_> =
        record.headers().map(|(name, value)| (hex(name), value.map(|value| hex(value)))).collect();
    json!({
        "topic": record.topic(),
        "partition": record.partition(),
        "offset": record.offset(),
        "timestamp": record.timestamp_ms(),
        "attempt": record.attempt(),
        "key": record.key().map(|key| hex(key)),
        "value": record.value().map(|value| hex(value)),
        "headers": headers,
    })
    .to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
