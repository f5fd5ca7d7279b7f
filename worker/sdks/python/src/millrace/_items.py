"""Checks that a batch function has returned one item for each record."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def items(returned: object, count: int) -> Sequence[object]:
    """Returns the item of each record. It raises TypeError or ValueError if there is not one for
    each."""
    numpy = sys.modules.get("numpy")  # nobody has made an array without it
    if numpy is not None and isinstance(returned, numpy.ndarray):
        return _rows(returned, count)
    if not isinstance(returned, (list, tuple)):
        raise TypeError(
            f"the batch function returned a {type(returned).__name__}: it has to return a list"
            " with one item for each record"
        )
    if len(returned) != count:
        raise ValueError(
            f"the batch function returned {len(returned)} results for {count} records: it has"
            " to return one for each, which may be None or a list"
        )
    return returned


def _rows(array: NDArray[Any], count: int) -> Sequence[object]:
    """Returns the bytes of each row, or its objects."""
    if array.shape[:1] != (count,):
        raise ValueError(
            f"the batch function returned an array of shape {array.shape} for {count} records:"
            " it has to return one with a row for each"
        )
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(array, masked.MaskedArray):
        # The bytes would have a filler in the place of what is masked.
        raise TypeError(
            "the batch function returned a masked array: return a list with None for the records"
            " to leave out, or array.filled(...) to write values"
        )
    if array.dtype.kind in "OSTU":
        rows: list[object] = array.tolist()
        return rows
    if array.dtype.kind == "b":
        raise TypeError(
            "the batch function returned an array of bool, which may be a mask or values: return"
            " a list with None for the records to leave out, or array.view('u1') to write values"
        )
    if array.dtype.hasobject:
        raise TypeError(
            f"the batch function returned an array of {array.dtype}: objects have no bytes"
        )
    content = array.tobytes()
    size = len(content) // count
    return [content[row * size : (row + 1) * size] for row in range(count)]
