"""Turns what a function returns for a record into the protocol's outputs."""

from __future__ import annotations

from millrace import _values
from millrace._output import Output, Same
from millrace._protocol import processor_pb2 as pb
from millrace._record import Record


def of_value(value: object, record: Record) -> list[pb.Output]:
    """Returns the outputs of any result other than None. It raises TypeError or ValueError for one
    that can't be written."""
    if isinstance(value, (list, tuple)):
        return [_output(one, record) for one in value]
    return [_output(value, record)]


def _output(value: object, record: Record) -> pb.Output:
    if isinstance(value, Output):
        return _of_output(value)
    if value is record:
        return pb.Output(same_key=True, same_value=True, same_headers=True)
    if isinstance(value, Record):
        return _of_output(
            Output(value.value, key=value.key, headers=value.headers, timestamp=value.timestamp_ms)
        )
    if isinstance(value, (bytes, bytearray, memoryview, str)):
        content = _values.octets("value", value)
        return pb.Output(value=content, same_key=True, same_headers=True)
    raise TypeError(
        f"the function returned a {type(value).__name__}: a result has to be None, bytes, str,"
        " millrace.Output, the record, or a list of these without None"
    )


def _of_output(value: Output) -> pb.Output:
    output = pb.Output(
        value=_values.octets("value", value.value),
        topic=value.topic,
        timestamp_ms=_values.milliseconds("timestamp", value.timestamp),
    )
    if isinstance(value.key, Same):
        output.same_key = True
    elif (key := _values.octets("key", value.key)) is not None:
        output.key = key
    if isinstance(value.headers, Same):
        output.same_headers = True
    else:
        output.headers.extend(_values.header(pair) for pair in value.headers)
    return output
