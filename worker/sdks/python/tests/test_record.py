"""Records, as a processor sees them."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta, timezone

import pytest

import millrace
from millrace import _record
from millrace._protocol import processor_pb2 as pb


def test_fields() -> None:
    record = millrace.Record(
        "größe",
        key=b"k",
        headers=[("a", b"1"), ("b", None), ("a", "2")],
        topic="orders",
        partition=3,
        offset=42,
        timestamp=1_700_000_000_123,
        attempt=2,
        deadline=12.5,
    )
    assert (record.value, record.key) == ("größe".encode(), b"k")
    assert (record.topic, record.partition, record.offset) == ("orders", 3, 42)
    assert (record.attempt, record.deadline) == (2, 12.5)
    assert record.headers == [("a", b"1"), ("b", None), ("a", b"2")]
    assert record.timestamp_ms == 1_700_000_000_123
    assert record.timestamp == datetime(2023, 11, 14, 22, 13, 20, 123000, timezone.utc)
    assert repr(record) == "<Record of topic orders, partition 3, offset 42>"


def test_null_is_not_empty() -> None:
    null, empty = millrace.Record(None, key=None), millrace.Record(b"", key=b"")
    assert (null.value, null.key) == (None, None)
    assert (empty.value, empty.key) == (b"", b"")


def test_header_returns_the_last_one() -> None:
    record = millrace.Record(headers=[("a", b"1"), ("a", b"2"), ("null", None), ("null", None)])
    assert record.header("a") == b"2"
    assert record.header("null", b"default") is None
    assert record.header("none") is None
    assert record.header("none", b"default") == b"default"


def test_a_header_name_that_is_not_utf_8_survives() -> None:
    message = pb.Record(headers=[pb.Header(name=b"\xff", value=b"1")])
    record = _record.of_message(message, "orders")
    ((name, _),) = record.headers
    assert record.header(name) == b"1"
    assert millrace.Record(headers=record.headers)._message.headers[0].name == b"\xff"


def test_the_topic_of_a_batch_is_that_of_its_records() -> None:
    assert _record.of_message(pb.Record(), "orders").topic == "orders"
    assert _record.of_message(pb.Record(topic="others"), "orders").topic == "others"


def test_json_and_text() -> None:
    record = millrace.Record('{"a": [1, null]}')
    assert record.json() == {"a": [1, None]}
    assert record.text() == '{"a": [1, null]}'


@pytest.mark.parametrize(
    ("value", "read", "problem"),
    [
        (b"{", millrace.Record.json, "the value is not JSON: Expecting property name"),
        (b"\xff", millrace.Record.json, "the value is not JSON: 'utf-8' codec"),
        (b"[" * 1_000_000, millrace.Record.json, "the value is not JSON: maximum recursion"),
        (None, millrace.Record.json, "the value is null, not JSON"),
        (b"\xff", millrace.Record.text, "the value is not UTF-8: 'utf-8' codec"),
        (None, millrace.Record.text, "the value is null, not text"),
    ],
)
def test_a_value_of_another_format(value: bytes | None, read: object, problem: str) -> None:
    record = millrace.Record(value, topic="orders", partition=3, offset=42)
    with pytest.raises(millrace.Malformed) as raised:
        read(record)  # type: ignore[operator]
    assert str(raised.value).startswith(f"topic orders, partition 3, offset 42: {problem}")
    assert isinstance(raised.value, millrace.Permanent)
    assert isinstance(raised.value, ValueError)


def test_timestamps() -> None:
    assert millrace.Record().timestamp is None
    assert millrace.Record(timestamp=0).timestamp == datetime(1970, 1, 1, tzinfo=timezone.utc)
    assert millrace.Record(timestamp=-1).timestamp_ms == -1
    east = datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    assert millrace.Record(timestamp=east).timestamp_ms == 0
    with pytest.raises(ValueError, match="the timestamp has no time zone"):
        millrace.Record(timestamp=datetime(1970, 1, 1))
    late = millrace.Record(timestamp=1 << 60, topic="orders")
    with pytest.raises(millrace.Malformed, match="offset 0: the timestamp 1152921504606846976"):
        _ = late.timestamp


def test_a_record_can_be_pickled() -> None:
    made = millrace.Record(b"v", topic="orders", offset=7, deadline=1.5)
    record = pickle.loads(pickle.dumps(made))
    assert (record.value, record.topic, record.offset, record.deadline) == (b"v", "orders", 7, 1.5)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"value": 1}, "the value is a int: it has to be bytes, str or None"),
        ({"key": 1.5}, "the key is a float"),
        ({"headers": [("a", 1)]}, "the header 'a' is a int"),
        ({"headers": [(b"a", b"1")]}, "the header's name is a bytes: it has to be str"),
        ({"headers": [b"ab1"]}, "headers have to be pairs"),
        ({"timestamp": "now"}, "the timestamp is a str: it has to be a datetime"),
    ],
)
def test_bad_fields(fields: dict[str, object], problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        millrace.Record(**fields)  # type: ignore[arg-type]
