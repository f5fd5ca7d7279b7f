//! Turns the lines of a web server's access log into JSON.
//!
//! A line such as
//!
//!     192.0.2.7 - - [01/Dec/2026:08:15:30 +0000] "GET /shop?q=1 HTTP/1.1" 200 512
//!
//! becomes `{"host": "192.0.2.7", "path": "/shop?q=1", "status": 200}`, under its host as the
//! key. Health checks are left out, and lines of another form are dead letters.

use millrace::{Error, Failure, Output, Record};

fn main() -> Result<(), Error> {
    millrace::run(parse)
}

fn parse(record: &Record) -> Result<Option<Output>, Failure> {
    let line = record.text()?;
    let (host, path, status) = parts(line)
        .ok_or_else(|| Failure::permanent(format_args!("no line of an access log: {line:.100}")))?;
    if path == "/healthz" {
        return Ok(None);
    }
    let entry = serde_json::json!({"host": host, "path": path, "status": status});
    Ok(Some(Output::new(entry.to_string()).key(host.to_owned())))
}

/// Returns the host, the path and the status.
fn parts(line: &str) -> Option<(&str, &str, u16)> {
    let (host, rest) = line.split_once(' ')?;
    let (_, rest) = rest.split_once('"')?;
    let (request, rest) = rest.split_once("\" ")?;
    let path = request.split(' ').nth(1)?;
    let status = rest.split(' ').next()?.parse().ok()?;
    Some((host, path, status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let prefix = "192.0.2.7 - - [01/Dec/2026:08:15:30 +0000]";
        let records = [
            Record::with_value(format!("{prefix} \"GET /shop?q=1 HTTP/1.1\" 200 512")),
            Record::with_value(format!("{prefix} \"GET /healthz HTTP/1.1\" 200 -")),
            Record::with_value("something else"),
        ];
        let results = millrace::testing::process(parse, &records);
        let page = &results[0].as_ref().unwrap()[0];
        assert_eq!(page.key.as_deref(), Some(&b"192.0.2.7"[..]));
        let entry: serde_json::Value =
            serde_json::from_slice(page.value.as_ref().unwrap()).unwrap();
        assert_eq!(
            entry,
            serde_json::json!({"host": "192.0.2.7", "path": "/shop?q=1", "status": 200})
        );
        assert_eq!(results[1].as_ref().unwrap().len(), 0);
        assert!(results[2].as_ref().unwrap_err().message().starts_with("no line"));
    }
}
