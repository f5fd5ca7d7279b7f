"""A page of memory through which the supervisor watches a process.

A thread of the process could not tell the time while an extension holds the interpreter's lock,
and a pipe would wake the supervisor for each batch.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import time

# When the process has to be done, by time.monotonic(), which all processes share; 0 for never.
_DEADLINE = struct.Struct("d")
_USEFUL_AT = _DEADLINE.size
_ENDED_AT = _USEFUL_AT + 1
_SIZE = mmap.PAGESIZE


class Watch:
    """One process's page. The process writes, and the supervisor reads."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._page = mmap.mmap(descriptor, _SIZE)

    @classmethod
    def create(cls) -> Watch:
        descriptor = _memory()
        os.truncate(descriptor, _SIZE)
        return cls(descriptor)

    def expect(self, deadline: float) -> None:
        """Says when the process has to be done with its present work; 0 for never."""
        # A page's 8 aligned bytes change at once.
        _DEADLINE.pack_into(self._page, 0, deadline)

    def deadline(self) -> float:
        (deadline,) = _DEADLINE.unpack_from(self._page, 0)
        return float(deadline)

    def overrun(self) -> float:
        """Returns for how many seconds the process should have been done."""
        deadline = self.deadline()
        return max(0.0, time.monotonic() - deadline) if deadline else 0.0

    def set_useful(self) -> None:
        """Says that the process has answered a batch."""
        self._page[_USEFUL_AT] = 1

    def useful(self) -> bool:
        return self._page[_USEFUL_AT] == 1

    def set_ended(self) -> None:
        """Says that the worker has closed, so that the process ends for good."""
        self._page[_ENDED_AT] = 1

    def ended(self) -> bool:
        return self._page[_ENDED_AT] == 1

    def clear(self) -> None:
        """Makes the page ready for another process."""
        self._page[: _ENDED_AT + 1] = bytes(_ENDED_AT + 1)

    def close(self) -> None:
        self._page.close()
        os.close(self.descriptor)


def _memory() -> int:
    """Returns the descriptor of an empty file in memory, or on disk where there is no such."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("millrace-watch")
    with tempfile.TemporaryFile(prefix="millrace-watch-") as file:
        return os.dup(file.fileno())
