"""The results that a processor returns."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import Final, TypeAlias

from millrace._record import Record


class Same(enum.Enum):
    """The type of SAME."""

    SAME = "SAME"

    def __repr__(self) -> str:
        return "SAME"


#: Stands for the input record's key or headers.
SAME: Final = Same.SAME


@dataclass(slots=True)
class Output:
    """One record to write. Without more than a value it has the input record's key, headers
    and timestamp, and goes to the manifest's output topic.

    Text is encoded as UTF-8. None is Kafka's null, and never the same as b"". A timestamp is a
    datetime with a time zone, or milliseconds since 1970.
    """

    value: bytes | str | None
    _: KW_ONLY
    key: bytes | str | Same | None = SAME
    headers: Iterable[tuple[str, bytes | str | None]] | Same = SAME
    topic: str = ""
    timestamp: datetime | int | None = None


#: What a function may return for a record: None filters it, bytes and text are the value of one
#: output, the record itself is written as it is, and a list holds any number of outputs.
Result: TypeAlias = bytes | str | Output | Record | Sequence[bytes | str | Output | Record] | None
