"""Calls a user's function on the records of a batch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeAlias

from millrace._answer import Answer
from millrace._items import items
from millrace._record import Record

Function: TypeAlias = Callable[..., Any]
#: Puts the results of all records into the answer, under an ordering of the protocol. It raises
#: only what ends the process.
Call: TypeAlias = Callable[[Answer, str], None]

# These end the process, or a coroutine that is of no use any more. All others are failed attempts,
# also those that are no Exception, such as the panics of modules that are written in Rust.
_ENDS = (SystemExit, KeyboardInterrupt, GeneratorExit)


def each(function: Function) -> Call:
    """Calls a function on one record after another."""

    def call(answer: Answer, ordering: str) -> None:
        for index, record in enumerate(answer.records):
            try:
                result = function(record)
            except _ENDS:
                raise
            except BaseException as error:
                answer.fail(index, error)
            else:
                answer.put(index, result)
            if time.monotonic() >= answer.due:
                answer.flush()
            if answer.failed:
                return

    return call


def each_async(function: Function, loop: asyncio.AbstractEventLoop) -> Call:
    """Calls an async function on all records at the same time, other than on those whose order
    counts."""

    async def in_order(answer: Answer, indexes: Iterable[int]) -> None:
        for index in indexes:
            if answer.failed:
                return
            try:
                result = await function(answer.records[index])
            except _ENDS:
                raise
            # A cancelled call is a failed attempt too.
            except BaseException as error:
                answer.fail(index, error)
            else:
                answer.put(index, result)
            if time.monotonic() >= answer.due:
                answer.flush()

    async def all_lanes(answer: Answer, ordering: str) -> None:
        lanes = _lanes(answer.records, ordering)
        await asyncio.gather(*(in_order(answer, lane) for lane in lanes))

    def call(answer: Answer, ordering: str) -> None:
        loop.run_until_complete(all_lanes(answer, ordering))

    return call


def batch(function: Function) -> Call:
    """Calls a function on all records at once."""

    def call(answer: Answer, ordering: str) -> None:
        try:
            results = items(function(list(answer.records)), len(answer.records))
        except _ENDS:
            raise
        except BaseException as error:
            answer.fail_all(error)
        else:
            _put_all(answer, results)

    return call


def batch_async(function: Function, loop: asyncio.AbstractEventLoop) -> Call:
    """Calls an async function on all records at once."""

    async def awaited(results: Awaitable[object]) -> object:
        return await results

    def call(answer: Answer, ordering: str) -> None:
        try:
            returned = loop.run_until_complete(awaited(function(list(answer.records))))
            results = items(returned, len(answer.records))
        except _ENDS:
            raise
        except BaseException as error:
            answer.fail_all(error)
        else:
            _put_all(answer, results)

    return call


def _put_all(answer: Answer, results: Sequence[object]) -> None:
    for index, result in enumerate(results):
        if answer.failed:
            return
        if isinstance(result, BaseException):
            answer.fail(index, result)
        else:
            answer.put(index, result)


def _lanes(records: list[Record], ordering: str) -> Iterable[list[int]]:
    """Returns the places of the records, those in one list whose order counts."""
    if ordering == "Unordered":
        return [[index] for index in range(len(records))]
    lanes: dict[object, list[int]] = {}
    for index, record in enumerate(records):
        lane: object = record.partition
        if ordering == "Key":
            # Records with a null key have no order.
            lane = index if record.key is None else (record.partition, record.key)
        lanes.setdefault(lane, []).append(index)
    return lanes.values()
