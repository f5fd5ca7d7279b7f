//! Adds to each order the price that another service says, for many orders at the same time.

use std::time::Duration;

use millrace::{Error, Failure, Output, Processor, Record};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

#[derive(Deserialize)]
struct Order {
    item: String,
    count: u32,
}

#[derive(Serialize)]
struct Priced {
    item: String,
    total: u32,
}

fn main() -> Result<(), Error> {
    Processor::new().concurrency(500).run_async(priced)
}

async fn priced(record: Record) -> Result<Output, Failure> {
    let order: Order = record.json()?;
    let price = timeout(Duration::from_secs(2), price_of(&order.item)).await??;
    Output::json(&Priced { total: price * order.count, item: order.item })
}

/// Stands for a request to the service.
async fn price_of(item: &str) -> Result<u32, Failure> {
    sleep(Duration::from_millis(50)).await;
    match item {
        "tea" => Ok(3),
        "coffee" => Ok(4),
        _ => Err(Failure::permanent(format_args!("there is no item {item:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders() {
        let records = [
            Record::with_value(r#"{"item": "tea", "count": 2}"#),
            Record::with_value(r#"{"item": "sand", "count": 1}"#),
            Record::with_value("tea"),
        ];
        let results = millrace::testing::process_async(priced, &records);
        let value = results[0].as_ref().unwrap()[0].value.as_deref();
        assert_eq!(value, Some(&br#"{"item":"tea","total":6}"#[..]));
        assert_eq!(results[1].as_ref().unwrap_err().message(), "there is no item \"sand\"");
        assert!(results[2].is_err());
    }
}
