"""The test program of the protocol's specification, which `millrace conformance` drives."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

import millrace
from millrace import Output, Record, Result


def describe(record: Record) -> str:
    fields = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp_ms,
        "attempt": record.attempt,
        "key": hexadecimal(record.key),
        "value": hexadecimal(record.value),
        "headers": [
            [name.encode("utf-8", "surrogateescape").hex(), hexadecimal(value)]
            for name, value in record.headers
        ],
    }
    return json.dumps(fields)


def hexadecimal(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def sleep(record: Record, milliseconds: str) -> Record:
    time.sleep(int(milliseconds) / 1000)
    return record


def fail(error: Exception) -> Result:
    raise error


COMMANDS: dict[str, Callable[[Record, str], Result]] = {
    "filter": lambda record, text: None,
    "describe": lambda record, text: describe(record),
    "outputs": lambda record, text: [str(number) for number in range(int(text))],
    "tombstone": lambda record, text: Output(None),
    "empty": lambda record, text: Output(b"", key=b""),
    "topic": lambda record, text: Output(record.value, topic=text),
    "large": lambda record, text: b"x" * int(text),
    "sleep": sleep,
    "fail": lambda record, text: fail(RuntimeError(text)),
    "permanent": lambda record, text: fail(millrace.Permanent(text)),
    "drop": lambda record, text: fail(millrace.Drop(text)),
    "retry-after": lambda record, text: fail(millrace.RetryAfter(int(text) / 1000)),
    "dead-letter": lambda record, text: fail(millrace.DeadLetter(text)),
    "exit": lambda record, text: os._exit(3),
}


@millrace.processor
def act(record: Record) -> Result:
    """Does what the value says, up to the first space."""
    command, _, text = (record.value or b"").partition(b" ")
    do = COMMANDS.get(command.decode("utf-8", "replace"))
    return do(record, text.decode()) if do else record


if __name__ == "__main__":
    act.run()
