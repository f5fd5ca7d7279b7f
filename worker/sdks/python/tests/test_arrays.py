"""Batch functions that get and return arrays of numpy."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fake_worker import PATIENCE, Worker, record

import millrace
from millrace import Record, testing


def floats(*numbers: float) -> bytes:
    return struct.pack(f"={len(numbers)}f", *numbers)


def values(results: list[testing.Result]) -> list[list[bytes | None]]:
    return [result.values for result in results]


def failures(results: list[testing.Result]) -> list[str]:
    return [result.failure.message if result.failure else "" for result in results]


def test_values_of_a_dtype() -> None:
    @millrace.batch_processor(values=("float32", 2), max_records=64)
    def double(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        assert rows.shape == (2, 2) and rows.dtype == np.float32
        assert rows.flags.writeable
        return rows * 2

    first, second = testing.process(double, [Record(floats(1, 2), key="k"), Record(floats(3, 4))])
    assert (first.values, second.values) == ([floats(2, 4)], [floats(6, 8)])
    assert first.outputs[0].key == b"k"
    assert double.wishes.max_records == 64
    assert double(np.ones((2, 2), "float32")).tolist() == [[2, 2], [2, 2]]


@pytest.mark.parametrize(
    ("dtype", "value", "shape", "item"),
    [
        ("u1", b"\x07", (2,), 7),
        ("<i4", b"\x01\x00\x00\x00", (2,), 1),
        (("u1", 3), b"abc", (2, 3), [97, 98, 99]),
        (("u1", (2, 2)), b"abcd", (2, 2, 2), [[97, 98], [99, 100]]),
        ([("id", "<u2"), ("x", "u1")], b"\x01\x00\x02", (2,), (1, 2)),
        ("S4", b"ab\x00\x00", (2,), b"ab"),
        (object, b"of any length", (2,), b"of any length"),
    ],
)
def test_the_shape_of_an_array(
    dtype: Any, value: bytes, shape: tuple[int, ...], item: object
) -> None:
    seen: list[npt.NDArray[Any]] = []

    @millrace.batch_processor(values=dtype)
    def see(array: npt.NDArray[Any]) -> list[None]:
        seen.append(array)
        return [None] * len(array)

    assert all(result.filtered for result in testing.process(see, [Record(value)] * 2))
    assert seen[0].shape == shape
    assert seen[0].tolist() == [item, item]


def test_values_that_are_not_of_the_dtype_fail_alone() -> None:
    lengths: list[int] = []

    @millrace.batch_processor(values="int16")
    def echo(array: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        lengths.append(len(array))
        return array

    batch = [b"\x00\x01", None, b"\x00\x02", b"abc", b""]
    records = [Record(value, topic="t", offset=offset) for offset, value in enumerate(batch)]
    results = testing.process(echo, records)
    assert lengths == [2]
    assert values(results) == [[b"\x00\x01"], [], [b"\x00\x02"], [], []]
    place = "topic t, partition 0, offset"
    assert failures(results) == [
        "",
        f"{place} 1: the value is null, not of dtype int16",
        "",
        f"{place} 3: the value has 3 bytes, and one of dtype int16 has 2",
        f"{place} 4: the value has 0 bytes, and one of dtype int16 has 2",
    ]
    assert all(r.failure is None or r.failure.kind == testing.PERMANENT for r in results)

    # Nothing is left to call the function with.
    assert "null" in failures(testing.process(echo, [Record(None)]))[0]
    assert lengths == [2]


def test_objects_have_a_null() -> None:
    @millrace.batch_processor(values=object)
    def see(array: npt.NDArray[np.object_]) -> list[str]:
        return [repr(value) for value in array]

    results = testing.process(see, [Record(None), Record(b""), Record(b"abc"), Record(b"de")])
    assert values(results) == [[b"None"], [b"b''"], [b"b'abc'"], [b"b'de'"]]


def test_async_functions_and_setup() -> None:
    @millrace.batch_processor(values="u1", setup=lambda: 3)
    async def add(array: npt.NDArray[np.uint8], number: int) -> npt.NDArray[np.uint8]:
        sums: npt.NDArray[np.uint8] = array + np.uint8(number)
        return sums

    results = testing.process(add, [Record(b"\x01"), Record(None), Record(b"\x02")])
    assert values(results) == [[b"\x04"], [], [b"\x05"]]


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (np.array([1, 2], "<u2"), [[b"\x01\x00"], [b"\x02\x00"]]),
        (np.array([[1, 2], [3, 4]], "u1").T, [[b"\x01\x03"], [b"\x02\x04"]]),
        (np.zeros((2, 0)), [[b""], [b""]]),
        (np.array([b"a", b"bc"]), [[b"a"], [b"bc"]]),
        (np.array(["a", "ö"]), [[b"a"], ["ö".encode()]]),
        (np.array([None, "a"], object), [[], [b"a"]]),
        (np.array([["a", "b"], ["c", "d"]]), [[b"a", b"b"], [b"c", b"d"]]),
        ([np.str_("a"), np.bytes_(b"b")], [[b"a"], [b"b"]]),
    ],
)
def test_an_array_has_a_row_for_each_record(
    returned: npt.NDArray[Any], expected: list[list[bytes | None]]
) -> None:
    @millrace.batch_processor
    def answer(records: list[Record]) -> npt.NDArray[Any]:
        return returned

    assert values(testing.process(answer, [Record("x"), Record("y")])) == expected


def test_an_array_may_hold_failures_and_outputs() -> None:
    @millrace.batch_processor(values=object)
    def answer(array: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
        items = [millrace.Permanent("bad"), millrace.Output("v", key="k")]
        return np.array(items, dtype=object)

    first, second = testing.process(answer, [Record("x"), Record("y")])
    assert first.failure is not None and first.failure.kind == testing.PERMANENT
    assert second.outputs[0].key == b"k"


def test_bytes_of_a_fixed_size_come_back_whole() -> None:
    same = millrace.batch_processor(values="V4")(lambda array: array)
    results = testing.process(same, [Record(b"ab\0\0"), Record(b"\0\0\0\0")])
    assert [r.outputs[0].value for r in results] == [b"ab\0\0", b"\0\0\0\0"]


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="numpy 2 has this type")
def test_strings_of_any_length_are_results() -> None:
    def names(records: list[Record]) -> Any:
        return np.array(["a", "long"], dtype=np.dtypes.StringDType())

    results = testing.process(millrace.batch_processor(names), [Record(b"1"), Record(b"2")])
    assert [r.outputs[0].value for r in results] == [b"a", b"long"]


@pytest.mark.parametrize(
    ("returned", "problem"),
    [
        (np.zeros(3), "an array of shape (3,) for 2 records: it has to return one with a row"),
        (np.float64(1) + np.zeros(()), "returned a float64"),
        (np.zeros(()), "an array of shape () for 2 records"),
        (np.array([True, False]), "an array of bool, which may be a mask or values"),
        (np.zeros(2, [("a", object)]), "objects have no bytes"),
        (np.ma.masked_array(np.zeros(2), mask=[True, False]), "returned a masked array: return a"),
        ([b"a"], "returned 1 results for 2 records"),
    ],
)
def test_a_wrong_shape_fails_the_batch(returned: Any, problem: str) -> None:
    calls: list[Callable[..., Any]] = [
        lambda records: returned,
        millrace.batch_processor(values="u1")(lambda array: returned),
    ]
    for call in calls:
        processor = call if isinstance(call, millrace.Processor) else None
        processor = processor or millrace.Processor(call, batch=True)
        for result in testing.process(processor, [Record(b"x"), Record(b"y")]):
            assert result.failure is not None and result.failure.kind == testing.RETRY
            assert problem in result.failure.message


def test_an_exception_fails_the_batch() -> None:
    @millrace.batch_processor(values="u1", setup=lambda: None)
    def fail(array: npt.NDArray[np.uint8], _: None) -> list[bytes]:
        raise ValueError("no")

    for result in testing.process(fail, [Record(b"x"), Record(b"y")]):
        assert result.failure is not None and result.failure.message == "ValueError: no"
        assert "in fail" in result.failure.detail.splitlines()[1], "it begins with the user's code"


@pytest.mark.parametrize(
    ("dtype", "problem"),
    [
        ("floot32", "values is 'floot32': it has to be a dtype of numpy"),
        ("S", "values is 'S', which has no size: name one, such as 'V16'"),
        (("f4", 0), "has no size"),
        ([("a", object)], "objects have no bytes"),
    ],
)
def test_dtypes_are_checked_at_once(dtype: Any, problem: str) -> None:
    with pytest.raises(TypeError) as raised:
        millrace.batch_processor(values=dtype)(lambda values: values)
    assert problem in str(raised.value)


def test_parameters_are_checked_at_once() -> None:
    with pytest.raises(TypeError, match=r"has to take \(values, state\)"):
        millrace.batch_processor(values="u1", setup=lambda: None)(lambda values: values)


def test_a_program_without_numpy_does_not_start(worker: Worker) -> None:
    program = worker.start(
        """
import sys
sys.modules["numpy"] = None  # it can't be imported
@millrace.batch_processor(values="float32")
def echo(array):
    return array
echo.run()
""",
        processes=1,
    )
    assert program.wait(PATIENCE) == 1
    assert "values='float32' needs numpy: pip install 'millrace[numpy]'" in worker.log()


def test_a_program_without_arrays_does_without_numpy(worker: Worker) -> None:
    worker.start("""
import sys
@millrace.batch_processor
def tell(records):
    return ["numpy" if "numpy" in sys.modules else "none"] * len(records)
tell.run()
""")
    connection = worker.accept()
    connection.greet()
    assert connection.ask(record())[0].outputs[0].value == b"none"
    assert "numpy" in sys.modules


def test_a_batch_of_several_records(worker: Worker) -> None:
    worker.start("""
@millrace.batch_processor(values=("u1", 2))
def sums(array):
    return array.sum(axis=1, dtype="u1")
sums.run()
""")
    connection = worker.accept()
    connection.greet()
    first, null, third = connection.ask(record(b"\x01\x02"), record(None), record(b"\x03\x04"))
    assert (first.outputs[0].value, third.outputs[0].value) == (b"\x03", b"\x07")
    assert "the value is null" in null.failure.message
