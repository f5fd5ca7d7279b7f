"""The events that the main thread of a process acts on."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import TypeAlias

from millrace._protocol import processor_pb2 as pb


@dataclass(frozen=True)
class Held:
    """A batch, and when it came by time.monotonic()."""

    batch: pb.Batch
    received: float


@dataclass(frozen=True)
class Lost:
    """The connection has ended without a Close in good order."""

    reason: str


class Stop:
    """Somebody has asked the process to end."""


Event: TypeAlias = Held | Lost | Stop | pb.WorkerHello | pb.Drain | pb.Close
# A signal handler may put while the thread that it interrupts gets; a Queue has locks instead.
Events: TypeAlias = "queue.SimpleQueue[Event]"
