"""Arrays of the values of a batch, for functions that calculate with numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from millrace._call import Function
from millrace._items import items
from millrace._record import Record

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


class Arrays:
    """Makes a function of arrays into a function of lists of records.

    The function does not see records whose values are not of the dtype: the results have a
    Malformed for each of them.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        """Takes the dtype of one value. It raises ImportError without numpy."""
        try:
            import numpy
        except ImportError as error:
            raise ImportError(
                f"values={dtype!r} needs numpy: pip install 'millrace[numpy]' ({error})"
            ) from error
        try:
            self._dtype = numpy.dtype(dtype)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"values is {dtype!r}: it has to be a dtype of numpy: {error}"
            ) from None
        self._numpy = numpy
        self._objects = self._dtype == "O"
        if self._dtype.hasobject and not self._objects:
            raise TypeError(f"values is {dtype!r}: objects have no bytes")
        if self._dtype.itemsize == 0:
            raise TypeError(
                f"values is {dtype!r}, which has no size: name one, such as 'V16', or take object"
                " for values of any length"
            )

    def of_records(self, function: Function, *, asynchronous: bool) -> Function:
        """Returns the function of records that calls function with the array of their values."""

        def call(records: list[Record]) -> list[object]:
            results, good = self._split(records)
            if good:
                _fill(results, good, function(self._array(good)))
            return results

        async def call_async(records: list[Record]) -> list[object]:
            results, good = self._split(records)
            if good:
                _fill(results, good, await function(self._array(good)))
            return results

        return call_async if asynchronous else call

    def _split(self, records: list[Record]) -> tuple[list[object], dict[int, bytes | None]]:
        """Returns the results with those of the records that the function does not see, and the
        values of the others by their places."""
        results: list[object] = [None] * len(records)
        good: dict[int, bytes | None] = {}
        for place, record in enumerate(records):
            value = record.value
            if problem := self._problem(value):
                results[place] = record._malformed(problem)
            else:
                good[place] = value
        return results, good

    def _problem(self, value: bytes | None) -> str:
        """Returns "" for a value that fits into the array."""
        if self._objects:
            return ""
        if value is None:
            return f"the value is null, not of dtype {self._dtype}"
        if len(value) != self._dtype.itemsize:
            size = self._dtype.itemsize
            return f"the value has {len(value)} bytes, and one of dtype {self._dtype} has {size}"
        return ""

    def _array(self, good: dict[int, bytes | None]) -> NDArray[Any]:
        if self._objects:
            array = self._numpy.empty(len(good), dtype=object)
            array[:] = list(good.values())
            return array
        # Some libraries ask for memory that they can write to, which that of bytes is not.
        content = bytearray().join(good.values())  # type: ignore[arg-type] # none of them is null
        return self._numpy.frombuffer(content, self._dtype)


def _fill(results: list[object], good: dict[int, bytes | None], returned: object) -> None:
    for place, item in zip(good, items(returned, len(good)), strict=True):
        results[place] = item
