"""The records that a processor is handed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeAlias

from millrace import _values
from millrace._failures import Malformed
from millrace._protocol import processor_pb2 as pb

#: The name and the value of a header. A name that is not UTF-8 has surrogate escapes.
Header: TypeAlias = "tuple[str, bytes | None]"


class Record:
    """A record of Kafka. A key, a value or a header's value that is None is Kafka's null.

    It reads its fields from the message of its batch when they are asked for, since most
    processors need few of them. A record that is kept keeps its whole batch in memory.
    """

    __slots__ = ("_deadline", "_message", "_topic")

    def __init__(
        self,
        value: bytes | str | None = None,
        *,
        key: bytes | str | None = None,
        headers: Iterable[tuple[str, bytes | str | None]] = (),
        topic: str = "",
        partition: int = 0,
        offset: int = 0,
        timestamp: datetime | int | None = None,
        attempt: int = 1,
        deadline: float | None = None,
    ) -> None:
        """Makes a record for a test."""
        self._topic = topic
        self._deadline = deadline
        self._message = pb.Record(
            partition=partition,
            offset=offset,
            timestamp_ms=_values.milliseconds("timestamp", timestamp),
            key=_values.octets("key", key),
            value=_values.octets("value", value),
            headers=[_values.header(pair) for pair in headers],
            attempt=attempt,
        )

    @property
    def topic(self) -> str:
        return self._message.topic or self._topic

    @property
    def partition(self) -> int:
        return self._message.partition

    @property
    def offset(self) -> int:
        return self._message.offset

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        return self._message.attempt

    @property
    def deadline(self) -> float | None:
        """When the attempt times out, by time.monotonic() and the clock of asyncio's loops; None
        for never. All records of a batch have the same."""
        return self._deadline

    @property
    def key(self) -> bytes | None:
        # An empty value is looked at again, since the look takes longer than the read.
        key = self._message.key
        return key if key or self._message.HasField("key") else None

    @property
    def value(self) -> bytes | None:
        value = self._message.value
        return value if value or self._message.HasField("value") else None

    @property
    def timestamp_ms(self) -> int | None:
        """Milliseconds since 1970; None if the record has no timestamp."""
        return self._message.timestamp_ms if self._message.HasField("timestamp_ms") else None

    @property
    def timestamp(self) -> datetime | None:
        """The timestamp, in UTC. Kafka takes times that Python does not: for those it raises
        Malformed, and timestamp_ms has them."""
        milliseconds = self.timestamp_ms
        if milliseconds is None:
            return None
        try:
            return _values.moment(milliseconds)
        except OverflowError as error:
            raise self._malformed(f"the timestamp {milliseconds} is beyond Python's") from error

    @property
    def headers(self) -> list[Header]:
        """The headers in their order. Names may repeat."""
        return [_values.pair(header) for header in self._message.headers]

    def header(self, name: str, default: bytes | None = None) -> bytes | None:
        """Returns the value of the last header of this name, or default without one."""
        wanted = _values.header_name(name)
        for header in reversed(self._message.headers):
            if header.name == wanted:
                return header.value if header.HasField("value") else None
        return default

    def text(self) -> str:
        """Returns the value as text. It raises Malformed if the value is null or not UTF-8."""
        try:
            return self._bytes("text").decode()
        except UnicodeDecodeError as error:
            raise self._malformed(f"the value is not UTF-8: {error}") from error

    def json(self) -> Any:
        """Returns the value as JSON. It raises Malformed if the value is null or not JSON."""
        try:
            return json.loads(self._bytes("JSON"))
        except (ValueError, RecursionError) as error:
            if isinstance(error, Malformed):
                raise
            raise self._malformed(f"the value is not JSON: {error}") from error

    def _bytes(self, wanted: str) -> bytes:
        value = self.value
        if value is None:
            raise self._malformed(f"the value is null, not {wanted}")
        return value

    def _malformed(self, problem: str) -> Malformed:
        return Malformed(f"{self._place()}: {problem}")

    def _place(self) -> str:
        return f"topic {self.topic}, partition {self.partition}, offset {self.offset}"

    def __repr__(self) -> str:
        return f"<Record of {self._place()}>"


def of_message(message: pb.Record, topic: str, deadline: float | None = None) -> Record:
    """Returns the record of a message in a batch whose records have that topic and deadline."""
    record = Record.__new__(Record)
    record._message = message
    record._topic = topic
    record._deadline = deadline
    return record
