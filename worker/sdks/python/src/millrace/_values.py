"""Converts between Python's values and the protocol's, with errors that name the field."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from millrace._protocol import processor_pb2 as pb

if TYPE_CHECKING:
    from millrace._record import Header

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)


def octets(field: str, value: bytes | bytearray | memoryview | str | None) -> bytes | None:
    """Returns the bytes of a key or value; text is encoded as UTF-8."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"the {field} is a {type(value).__name__}: it has to be bytes, str or None")


def header_name(name: str) -> bytes:
    if not isinstance(name, str):
        raise TypeError(f"the header's name is a {type(name).__name__}: it has to be str")
    return name.encode("utf-8", "surrogateescape")


def header(pair: tuple[str, bytes | str | None]) -> pb.Header:
    try:
        name, value = pair
    except (TypeError, ValueError):
        raise TypeError(f"headers have to be pairs of a name and a value, not {pair!r}") from None
    return pb.Header(name=header_name(name), value=octets(f"header {name!r}", value))


def pair(message: pb.Header) -> Header:
    name = message.name.decode("utf-8", "surrogateescape")
    return name, message.value if message.HasField("value") else None


def milliseconds(field: str, value: datetime | int | None) -> int | None:
    """Returns milliseconds since 1970."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if not isinstance(value, datetime):
        raise TypeError(f"the {field} is a {type(value).__name__}: it has to be a datetime")
    if value.tzinfo is None:
        raise ValueError(f"the {field} has no time zone: give it one, such as timezone.utc")
    return (value - _EPOCH) // _MILLISECOND


def moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
