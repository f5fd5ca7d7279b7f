"""What exceptions say to the worker."""

from __future__ import annotations

from typing import NoReturn

import pytest

import millrace
from millrace import testing
from millrace.testing import Failure


def failure(error: BaseException) -> Failure:
    """Returns the failure of a record whose function raises an exception."""

    def fail(_: millrace.Record) -> NoReturn:
        raise error

    (result,) = testing.process(fail, [millrace.Record()])
    assert result.failure is not None and not result.filtered
    return result.failure


def test_any_exception_is_a_failed_attempt() -> None:
    found = failure(ValueError("bad\ninput"))
    assert (found.kind, found.message, found.retry_after) == (
        testing.RETRY,
        "ValueError: bad input",
        0,
    )
    assert found.detail.startswith("Traceback (most recent call last):\n")
    assert found.detail.endswith("ValueError: bad\ninput\n")
    assert "raise error" in found.detail
    assert "_call.py" not in found.detail, "the traceback has this package's frames"


def test_permanent() -> None:
    found = failure(millrace.Permanent("no such customer"))
    assert (found.kind, found.message) == (testing.PERMANENT, "no such customer")


def test_malformed_is_permanent() -> None:
    (result,) = testing.process(lambda record: record.json()["a"], [millrace.Record(b"{")])
    assert result.failure is not None
    assert result.failure.kind == testing.PERMANENT
    assert "offset 0: the value is not JSON" in result.failure.message


def test_drop() -> None:
    found = failure(millrace.Drop("a heartbeat"))
    assert (found.kind, found.message) == (testing.DROP, "a heartbeat")


def test_retry_after() -> None:
    found = failure(millrace.RetryAfter(1.5, "the service is busy"))
    assert (found.kind, found.retry_after) == (testing.RETRY, 1.5)
    assert found.message == "the service is busy"
    assert failure(millrace.RetryAfter(0.00001)).retry_after == 0.001
    assert failure(millrace.RetryAfter(3)).message.endswith("the next attempt is in 3 s")


def test_dead_letter() -> None:
    found = failure(millrace.DeadLetter("orders-unknown", "no such product"))
    assert (found.kind, found.dead_letter_topic) == (testing.DEAD_LETTER, "orders-unknown")
    assert found.message == "no such product"


def test_the_cause_is_the_message_of_an_exception_without_one() -> None:
    error = millrace.RetryAfter(1)
    error.__cause__ = OSError("refused")
    found = failure(error)
    assert found.message == "OSError: refused"
    assert "OSError: refused\n\nThe above exception was the direct cause" in found.detail


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 5_000_000])
def test_a_wait_has_bounds(seconds: float) -> None:
    with pytest.raises(ValueError, match="RetryAfter takes 0 to 4294967 seconds"):
        millrace.RetryAfter(seconds)


def test_a_dead_letter_needs_a_topic() -> None:
    with pytest.raises(ValueError, match="DeadLetter needs a topic"):
        millrace.DeadLetter("")


def test_long_texts_are_cut() -> None:
    found = failure(ValueError("x" * 100_000 + "END"))
    assert len(found.message) == 1024
    assert len(found.detail) <= 16 * 1024
    assert found.detail.startswith("...") and found.detail.endswith("xEND\n")


def test_deep_recursion_is_a_failed_attempt() -> None:
    def deep(record: millrace.Record) -> bytes:
        return deep(record)

    (result,) = testing.process(deep, [millrace.Record()])
    assert result.failure is not None and "RecursionError" in result.failure.message


def test_an_exception_without_a_text() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert "Broken" in failure(Broken()).message


def test_text_that_is_not_unicode() -> None:
    assert failure(ValueError("\ud800")).message == "ValueError: \\ud800"


def test_exit_ends_the_process() -> None:
    with pytest.raises(SystemExit):
        failure(SystemExit(0))


class Panic(BaseException):
    """Modules in Rust raise such ones."""


def test_a_panic_is_a_failed_attempt() -> None:
    assert failure(Panic("index out of bounds")).message.endswith("Panic: index out of bounds")


class Undescribable(millrace.Permanent):
    def __str__(self) -> str:
        raise RuntimeError


def test_an_exception_that_can_not_be_described_keeps_its_kind() -> None:
    found = failure(Undescribable())
    assert (found.kind, found.message) == (
        testing.PERMANENT,
        "Undescribable, which can't be described: RuntimeError",
    )


def test_the_topic_of_a_dead_letter_is_text() -> None:
    def fail(_: millrace.Record) -> NoReturn:
        raise millrace.DeadLetter(b"letters")  # type: ignore[arg-type]

    (result,) = testing.process(fail, [millrace.Record()])
    assert result.failure is not None
    assert result.failure.message == (
        "TypeError: DeadLetter takes the name of a topic as str, not a bytes"
    )


class WithoutSeconds(millrace.RetryAfter):
    def __init__(self) -> None:
        pass


class WithoutATopic(millrace.DeadLetter):
    def __init__(self) -> None:
        pass


class TooLong(millrace.RetryAfter):
    def milliseconds(self) -> int:
        return 2**40


@pytest.mark.parametrize("error", [WithoutSeconds(), WithoutATopic(), TooLong(1)])
def test_an_exception_without_its_fields_is_a_failed_attempt(error: Exception) -> None:
    found = failure(error)
    assert found.kind == testing.RETRY
    name = type(error).__name__
    assert found.message.startswith(f"{name} does not say what becomes of the record: ")
