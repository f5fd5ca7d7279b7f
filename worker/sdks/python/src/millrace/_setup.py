"""Runs a processor's setup, and its end."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any


@contextmanager
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop for the async functions of this process. Their clients belong to it."""
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.run_until_complete(_cancel_all())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _cancel_all() -> None:
    """Ends the tasks that the user's code has left behind."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def enter(stack: ExitStack, loop: asyncio.AbstractEventLoop, setup: Callable[[], Any]) -> Any:
    """Returns the state that setup makes. The stack runs what stands behind a yield, also when
    the processor ends with an exception."""
    made = setup()
    if inspect.isgenerator(made):
        state = next(made)
        stack.callback(next, made, None)
        return state
    if inspect.isasyncgen(made):
        generator = made
        state = loop.run_until_complete(anext(generator))

        async def rest() -> None:
            await anext(generator, None)

        stack.callback(lambda: loop.run_until_complete(rest()))
        return state
    if inspect.iscoroutine(made):
        return loop.run_until_complete(made)
    return made
