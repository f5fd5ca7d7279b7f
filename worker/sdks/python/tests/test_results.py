"""What functions may return, by millrace.testing, which shares all but the socket with run."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

import millrace
from millrace import Output, Record, testing
from millrace.testing import Written

INPUT = Record(b"in", key=b"k", headers=[("h", b"1")], timestamp=1000)


def outputs(value: Any) -> list[Written]:
    """Returns what is written when a function returns a value for INPUT."""
    (result,) = testing.process(lambda _: value, [INPUT])
    assert result.failure is None, result.failure
    return result.outputs


def problem(value: Any) -> str:
    (result,) = testing.process(lambda _: value, [INPUT])
    assert result.failure is not None and result.failure.kind == testing.RETRY
    return result.failure.message


def test_none_filters() -> None:
    (result,) = testing.process(lambda _: None, [INPUT])
    assert result.filtered
    (result,) = testing.process(lambda _: [], [INPUT])
    assert result.filtered


@pytest.mark.parametrize("value", [b"out", "out", bytearray(b"out"), memoryview(b"out")])
def test_a_value_keeps_the_rest(value: Any) -> None:
    written = Written(b"out", b"k", [("h", b"1")], "", 1000)
    assert outputs(value) == [written]
    assert outputs([value, value]) == [written, written]


def test_an_empty_value_is_written() -> None:
    assert outputs(b"") == outputs("") == [Written(b"", b"k", [("h", b"1")], "", 1000)]


def test_the_record_itself() -> None:
    assert outputs(INPUT) == [Written(b"in", b"k", [("h", b"1")], "", 1000)]
    assert outputs([INPUT, "more"])[0] == outputs(INPUT)[0]


def test_another_record() -> None:
    other = Record(None, key=None, headers=[("o", None)], timestamp=5)
    assert outputs(other) == [Written(None, None, [("o", None)], "", 5)]


def test_an_output_with_everything() -> None:
    output = Output(
        "v",
        key="key",
        headers=[("a", b""), ("a", None)],
        topic="others",
        timestamp=datetime(1970, 1, 1, 0, 0, 2, tzinfo=timezone.utc),
    )
    assert outputs(output) == [Written(b"v", b"key", [("a", b""), ("a", None)], "others", 2000)]
    assert outputs(output)[0].timestamp == output.timestamp


def test_null_is_not_empty() -> None:
    (null,) = outputs(Output(None, key=None, headers=[]))
    assert (null.value, null.key, null.headers) == (None, None, [])
    (empty,) = outputs(Output(b"", key=b""))
    assert (empty.value, empty.key) == (b"", b"")


@pytest.mark.parametrize("value", [1, {"a": 1}, object(), [None], [["nested"]], iter([b"x"])])
def test_other_types_are_failures(value: Any) -> None:
    assert "a result has to be None, bytes, str, millrace.Output" in problem(value)


def test_bad_outputs_are_failures() -> None:
    assert "the value is a int" in problem(Output(1))  # type: ignore[arg-type]
    assert "the header 'a' is a int" in problem(Output("", headers=[("a", 1)]))  # type: ignore[list-item]
    assert "no time zone" in problem(Output("", timestamp=datetime(2000, 1, 1)))
    assert "surrogates not allowed" in problem("\ud800")
    assert "surrogates not allowed" in problem(["fine", "\ud800"])


def test_a_bad_result_fails_its_record_alone() -> None:
    results = testing.process(
        lambda record: [record.value, 1] if record.offset == 1 else record.value,
        [Record(b"a", offset=0), Record(b"b", offset=1), Record(b"c", offset=2)],
    )
    assert [result.values for result in results] == [[b"a"], [], [b"c"]]
    assert results[1].failure is not None


def test_no_records() -> None:
    assert testing.process(lambda record: record, []) == []


def test_the_package_exports_what_it_names() -> None:
    for name in millrace.__all__:
        assert getattr(millrace, name) is not None
