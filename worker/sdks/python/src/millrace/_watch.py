"""A page of memory through which the supervisor watches a process.

A thread of the process could not tell the time while an extension holds the interpreter's lock,
and a pipe would wake the supervisor for each batch.
"""

from __future__ import annotations

import enum
import mmap
import os
import struct
import tempfile
import time

# When the process has to be done, by time.monotonic(), which all processes share; 0 for never.
_DEADLINE = struct.Struct("d")
# When the process last said that it lives and waits for work; 0 while it works.
_WAITS = struct.Struct("d")
_WAITS_AT = _DEADLINE.size
_STAGE_AT = _WAITS_AT + _WAITS.size
_SIZE = mmap.PAGESIZE


class Stage(enum.IntEnum):
    """How far a process has come."""

    STARTED = 0
    CONNECTED = 1  # the worker has greeted it
    USEFUL = 2  # it has answered a batch
    ENDED = 3  # the worker has closed: it ends for good


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

    def wait(self) -> None:
        """Says that the process lives, and waits for work."""
        _WAITS.pack_into(self._page, _WAITS_AT, time.monotonic())

    def work(self) -> None:
        """Says that the process has something to do."""
        _WAITS.pack_into(self._page, _WAITS_AT, 0)

    def waits(self) -> float:
        """Returns when the process last said that it waits; 0 while it works."""
        (moment,) = _WAITS.unpack_from(self._page, _WAITS_AT)
        return float(moment)

    def reach(self, stage: Stage) -> None:
        """Says how far the process has come."""
        self._page[_STAGE_AT] = stage

    def stage(self) -> Stage:
        return Stage(self._page[_STAGE_AT])

    def clear(self) -> None:
        """Makes the page ready for another process."""
        self._page[: _STAGE_AT + 1] = bytes(_STAGE_AT + 1)

    def close(self) -> None:
        self._page.close()
        os.close(self.descriptor)


def _memory() -> int:
    """Returns the descriptor of an empty file in memory, or on disk where there is no such."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("millrace-watch")
    with tempfile.TemporaryFile(prefix="millrace-watch-") as file:
        return os.dup(file.fileno())
