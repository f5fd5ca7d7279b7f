"""The decorators, batches, async functions and setup."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

import millrace
from millrace import Record, testing

ABC = [Record(value, key=value, offset=offset) for offset, value in enumerate([b"a", b"b", b"c"])]


def values(results: list[testing.Result]) -> list[list[bytes | None]]:
    return [result.values for result in results]


def test_a_decorated_function_is_still_the_function() -> None:
    @millrace.processor
    def shout(record: Record) -> str:
        """Writes in upper case."""
        return record.text().upper()

    assert shout(Record("a")) == "A"
    assert shout.__doc__ == "Writes in upper case."
    assert values(testing.process(shout, ABC)) == [[b"A"], [b"B"], [b"C"]]


def test_a_batch_function() -> None:
    seen = []

    @millrace.batch_processor(max_records=10, max_bytes=1000, linger=0.25)
    def reverse(records: list[Record]) -> list[bytes | Exception | None]:
        seen.append(len(records))
        return [records[2].value, None, millrace.Permanent("bad")]

    results = testing.process(reverse, ABC)
    assert seen == [3]
    assert results[0].values == [b"c"] and results[1].filtered
    assert results[2].failure is not None and results[2].failure.kind == testing.PERMANENT
    assert (reverse.wishes.max_records, reverse.wishes.max_bytes) == (10, 1000)
    assert reverse.wishes.linger_ms == 250


def test_an_exception_that_a_batch_function_has_caught_keeps_its_traceback() -> None:
    def one(record: Record) -> Exception:
        try:
            return KeyError(record.json())
        except ValueError as error:
            return error

    @millrace.batch_processor
    def each(records: list[Record]) -> list[Exception]:
        return [one(record) for record in records]

    (result,) = testing.process(each, [Record(b"{")])
    assert result.failure is not None and "record.json()" in result.failure.detail


@pytest.mark.parametrize("returned", [None, [], [b"only one"], b"abc", (value for value in "abc")])
def test_a_batch_function_returns_one_item_for_each_record(returned: object) -> None:
    processor = millrace.Processor(lambda records: returned, batch=True)
    for result in testing.process(processor, ABC):
        assert (
            result.failure is not None and "the batch function returned" in result.failure.message
        )


def test_a_batch_function_may_change_its_list() -> None:
    @millrace.batch_processor
    def take(records: list[Record]) -> list[bytes | None]:
        return [records.pop().value for _ in range(len(records))]

    assert values(testing.process(take, ABC)) == [[b"c"], [b"b"], [b"a"]]


def test_an_exception_of_a_batch_function_fails_the_batch() -> None:
    @millrace.batch_processor
    def fail(records: list[Record]) -> list[bytes]:
        raise millrace.RetryAfter(2)

    for result in testing.process(fail, ABC):
        assert result.failure is not None and result.failure.retry_after == 2


def test_async_functions_run_at_the_same_time() -> None:
    started: list[int] = []
    everyone = asyncio.Event()

    @millrace.processor
    async def meet(record: Record) -> bytes | None:
        started.append(record.offset)
        if len(started) == len(ABC):
            everyone.set()
        await asyncio.wait_for(everyone.wait(), 30)
        if record.offset == 1:
            raise ValueError("bad")
        return record.value

    results = testing.process(meet, ABC)
    assert [result.values for result in results] == [[b"a"], [], [b"c"]]
    assert results[1].failure is not None and results[1].failure.message == "ValueError: bad"


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        (
            "Unordered",
            "begin 0, begin 1, begin 2, begin 3, begin 4, end 0, end 1, end 2, end 3, end 4",
        ),
        # The records of key k are 0 and 3, and those without a key have no order.
        ("Key", "begin 0, begin 1, begin 2, begin 4, end 0, begin 3, end 1, end 2, end 4, end 3"),
        # Record 2 is of another partition.
        (
            "Partition",
            "begin 0, begin 2, end 0, begin 1, end 2, end 1, begin 3, end 3, begin 4, end 4",
        ),
    ],
)
def test_async_functions_keep_the_order(ordering: str, expected: str) -> None:
    log = []

    async def follow(record: Record) -> None:
        log.append(f"begin {record.offset}")
        await asyncio.sleep(0)
        log.append(f"end {record.offset}")

    records = [
        Record(key="k", offset=0),
        Record(key=None, offset=1),
        Record(key=None, partition=1, offset=2),
        Record(key="k", offset=3),
        Record(key=None, offset=4),
    ]
    testing.process(follow, records, ordering=ordering)
    assert ", ".join(log) == expected


def test_a_cancelled_call_is_a_failed_attempt() -> None:
    async def cancelled(_: Record) -> None:
        raise asyncio.CancelledError

    (result,) = testing.process(cancelled, [Record()])
    assert result.failure is not None and "CancelledError" in result.failure.message


def test_an_async_batch_function() -> None:
    @millrace.batch_processor
    async def echo(records: list[Record]) -> list[bytes | None]:
        await asyncio.sleep(0)
        return [record.value for record in records]

    assert values(testing.process(echo, ABC)) == [[b"a"], [b"b"], [b"c"]]

    @millrace.batch_processor
    async def fail(records: list[Record]) -> list[bytes]:
        raise ValueError

    assert testing.process(fail, ABC)[0].failure is not None


def test_an_object_with_an_async_call() -> None:
    class Echo:
        async def __call__(self, record: Record) -> bytes | None:
            return record.value

    assert values(testing.process(Echo(), ABC)) == [[b"a"], [b"b"], [b"c"]]


log: list[str] = []


def plain() -> str:
    return "state"


async def awaited() -> str:
    return "state"


def generator() -> Iterator[str]:
    yield "state"
    log.append("closed")


async def async_generator() -> AsyncIterator[str]:
    yield "state"
    await asyncio.sleep(0)
    log.append("closed")


@pytest.mark.parametrize("setup", [plain, awaited, generator, async_generator])
def test_setup_runs_once(setup: Callable[[], object]) -> None:
    log.clear()

    @millrace.processor(setup=setup)
    def tell(record: Record, state: str) -> str:
        assert not log
        return state

    @millrace.batch_processor(setup=setup)
    async def tell_all(records: list[Record], state: str) -> list[str]:
        return [state] * len(records)

    assert values(testing.process(tell, ABC)) == [[b"state"]] * 3
    assert log == ([] if setup in (plain, awaited) else ["closed"])
    assert values(testing.process(tell_all, ABC)) == [[b"state"]] * 3


def test_the_rest_of_setup_runs_after_an_exception_too() -> None:
    log.clear()
    with pytest.raises(SystemExit):
        testing.process(
            millrace.Processor(lambda record, state: exit(1), setup=generator), [Record()]
        )
    assert log == ["closed"]


def test_tasks_that_are_left_behind_are_cancelled() -> None:
    tasks = []

    @millrace.processor
    async def leave(_: Record) -> None:
        tasks.append(asyncio.create_task(asyncio.sleep(1000)))

    testing.process(leave, [Record()])
    assert tasks[0].cancelled()


def test_parameters_are_checked_at_once() -> None:
    with pytest.raises(TypeError, match=r"has to take \(record\).*a second argument needs setup="):
        millrace.processor(lambda record, state: None)
    with pytest.raises(TypeError, match=r"has to take \(record, state\)"):
        millrace.processor(setup=plain)(lambda record: None)
    with pytest.raises(TypeError, match=r"has to take \(records\)"):
        millrace.batch_processor(plain)
    with pytest.raises(TypeError, match="1 is no function"):
        millrace.processor(1)  # type: ignore[call-overload]


@pytest.mark.parametrize("limit", [{"max_records": 0}, {"max_bytes": 0}, {"linger": -1}])
def test_limits_are_checked_at_once(limit: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(limit))} has to be from"):
        millrace.batch_processor(**limit)  # type: ignore[call-overload]


def test_an_unknown_ordering() -> None:
    with pytest.raises(ValueError, match="ordering is 'key'"):
        testing.process(lambda record: record, ABC, ordering="key")
