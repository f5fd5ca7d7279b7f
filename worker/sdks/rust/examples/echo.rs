//! Writes each value back. The benchmark of the processors of all languages runs it.

fn main() -> Result<(), millrace::Error> {
    millrace::run(|record| Ok(record.value().cloned()))
}
