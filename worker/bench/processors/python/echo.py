"""Writes each value back."""

import millrace


@millrace.processor
def echo(record: millrace.Record) -> bytes | None:
    return record.value


if __name__ == "__main__":
    echo.run()
