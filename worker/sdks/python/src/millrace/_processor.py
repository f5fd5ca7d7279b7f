"""The decorators that make processors of functions."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeAlias, TypeVar, overload

from millrace import _call, _setup
from millrace._arrays import Arrays
from millrace._output import Result

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

P = ParamSpec("P")
R = TypeVar("R", bound="Result | Awaitable[Result]")
B = TypeVar("B", bound="BatchResult | Awaitable[BatchResult]")
T = TypeVar("T")

#: What a batch function returns: for each record its result, or an exception for its failure. An
#: array of numpy has a row for each record, whose bytes are the value of one output.
BatchResult: TypeAlias = "Sequence[Result | Exception] | NDArray[Any]"


@dataclass(frozen=True)
class Wishes:
    """What a processor wants of a batch, in the protocol's units. 0 leaves it to the manifest,
    which goes first where it sets the same."""

    max_records: int = 0
    max_bytes: int = 0
    linger_ms: int = 0


class Processor(Generic[P, T]):
    """A function that Millrace can run. Called, it calls the function."""

    def __init__(
        self,
        function: Callable[P, T],
        *,
        batch: bool = False,
        setup: Callable[[], Any] | None = None,
        wishes: Wishes | None = None,
        values: DTypeLike | None = None,
    ) -> None:
        first = "record" if not batch else "records" if values is None else "values"
        _check_parameters(function, first, setup is not None)
        functools.update_wrapper(self, function)
        self.wishes = wishes or Wishes()
        self._function = function
        self._batch = batch
        self._setup = setup
        self._arrays = None if values is None else Arrays(values)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._function(*args, **kwargs)

    def run(self) -> None:
        """Runs the processor, as millrace.run does."""
        from millrace._run import run

        run(self)

    @contextmanager
    def started(self) -> Iterator[_call.Call]:
        """Runs setup, and its rest at the end."""
        with ExitStack() as stack:
            loop = stack.enter_context(_setup.event_loop())
            function: Callable[..., Any] = self._function
            if self._setup is not None:
                state = _setup.enter(stack, loop, self._setup)
                function = _with_state(function, state)
            if self._arrays is not None:
                function = self._arrays.of_records(function, asynchronous=_is_async(self._function))
            yield self._call(function, loop)

    def _call(self, function: _call.Function, loop: asyncio.AbstractEventLoop) -> _call.Call:
        if not _is_async(self._function):
            return _call.batch(function) if self._batch else _call.each(function)
        if self._batch:
            return _call.batch_async(function, loop)
        return _call.each_async(function, loop)


@overload
def processor(function: Callable[P, R], /) -> Processor[P, R]: ...


@overload
def processor(
    *, setup: Callable[[], Any] | None = None
) -> Callable[[Callable[P, R]], Processor[P, R]]: ...


def processor(
    function: Callable[..., Any] | None = None, /, *, setup: Callable[[], Any] | None = None
) -> Any:
    """Makes a processor of a plain or async function from a record to its results.

    setup is called once in each process, and what it returns, or yields, is the function's second
    argument. What stands behind a yield runs when the process ends. setup may be async.
    """
    if function is None:
        return functools.partial(Processor, setup=setup)
    return Processor(function, setup=setup)


@overload
def batch_processor(function: Callable[P, B], /) -> Processor[P, B]: ...


@overload
def batch_processor(
    *,
    max_records: int | None = None,
    max_bytes: int | None = None,
    linger: float | None = None,
    setup: Callable[[], Any] | None = None,
    values: DTypeLike | None = None,
) -> Callable[[Callable[P, B]], Processor[P, B]]: ...


def batch_processor(
    function: Callable[..., Any] | None = None,
    /,
    *,
    max_records: int | None = None,
    max_bytes: int | None = None,
    linger: float | None = None,
    setup: Callable[[], Any] | None = None,
    values: DTypeLike | None = None,
) -> Any:
    """Makes a processor of a plain or async function from a list of records to a list with the
    result of each, or with an exception for a failed one.

    An exception that it raises fails the whole batch, and the worker tries smaller ones. The
    limits are wishes: the manifest goes first where it sets the same. linger is how long the
    worker may wait for a full batch, in seconds. setup is that of millrace.processor.

    With values, a dtype of numpy, the function gets an array of the records' values in place of
    the records. Each value has the bytes of one item of the dtype: ("float32", 16) is a row of
    16 numbers, and the array has a row for each record. Records with a null or with more or fewer
    bytes fail with Malformed, and the function does not see them. With object, the items are the
    values themselves, bytes of any length and None for a null.
    """
    wishes = Wishes(
        max_records=_limit("max_records", max_records, 1, 2**32 - 1),
        max_bytes=_limit("max_bytes", max_bytes, 1, 2**64 - 1),
        linger_ms=_limit("linger", None if linger is None else round(linger * 1000), 0, 2**32 - 1),
    )
    make = functools.partial(Processor, batch=True, setup=setup, wishes=wishes, values=values)
    return make if function is None else make(function)


def _limit(name: str, value: int | None, least: int, most: int) -> int:
    if value is None:
        return 0
    if not least <= value <= most:
        raise ValueError(f"{name} has to be from {least} to {most}")
    return value


def _with_state(function: Callable[..., Any], state: object) -> Callable[..., Any]:
    return lambda records: function(records, state)


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object may have an async one
    )


def _check_parameters(function: Callable[..., Any], record: str, has_setup: bool) -> None:
    expected = [record, "state"] if has_setup else [record]
    if not callable(function):
        raise TypeError(f"{function!r} is no function")
    try:
        inspect.signature(function).bind(*expected)
    except TypeError as error:
        raise TypeError(
            f"{function!r} has to take ({', '.join(expected)}): {error}"
            + ("" if has_setup else "; a second argument needs setup=")
        ) from None
    except ValueError:
        return  # a function in C may have no signature
