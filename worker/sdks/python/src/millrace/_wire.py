"""The few encodings that are made by hand.

Most records have no output, themselves as the output, or one value that keeps their key and
headers. To build the messages for that takes Python twice as long as to write their bytes.
"""

from __future__ import annotations

from millrace._protocol import processor_pb2 as pb


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


# Those of one and two bytes.
_SMALL = [_varint(number) for number in range(1 << 14)]


def varint(number: int) -> bytes:
    return _SMALL[number] if number < 1 << 14 else _varint(number)


# The tags are the fields' numbers, and 2 in the low bits for bytes that follow their length.
_RESULTS_IN_FRAME = b"\x12"
_BATCH_IN_RESULTS = b"\x08"
_RESULT_IN_RESULTS = b"\x12"
_INDEX_IN_RESULT = b"\x08"
_OUTPUT_IN_RESULT = b"\x12"
_VALUE_IN_OUTPUT = b"\x0a"
_SAME_RECORD = b"\x30\x01\x38\x01\x40\x01"
_SAME_KEY_AND_HEADERS = b"\x30\x01\x40\x01"


def filtered(index: int) -> bytes:
    """Returns a Result without outputs, as a part of Results."""
    return _part(_INDEX_IN_RESULT + varint(index))


def one_value(index: int, value: bytes) -> bytes:
    """Returns a Result whose output has the input record's key and headers, as a part."""
    return _one_output(index, _VALUE_IN_OUTPUT + varint(len(value)) + value + _SAME_KEY_AND_HEADERS)


def same_record(index: int) -> bytes:
    """Returns a Result whose output is the input record, as a part."""
    return _one_output(index, _SAME_RECORD)


def any_result(result: pb.Result) -> bytes:
    """Returns a Result as a part."""
    return _part(result.SerializeToString())


def results(batch: int, parts: list[bytes]) -> bytes:
    """Returns the ProcessFrame of parts of Results."""
    content = b"".join([_BATCH_IN_RESULTS, varint(batch), *parts])
    return _RESULTS_IN_FRAME + varint(len(content)) + content


def _one_output(index: int, output: bytes) -> bytes:
    return _part(
        _INDEX_IN_RESULT + varint(index) + _OUTPUT_IN_RESULT + varint(len(output)) + output
    )


def _part(result: bytes) -> bytes:
    return _RESULT_IN_RESULTS + varint(len(result)) + result
