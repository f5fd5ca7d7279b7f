"""Reads from the worker while the user's code runs."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from millrace._events import Events, Held, Lost
from millrace._frames import FrameReader, ProtocolError
from millrace._protocol import processor_pb2 as pb
from millrace._sender import Sender

PROTOCOL_VERSION = 1
#: The batches that a process has at a time: with two the next one is there when one ends.
BATCH_CREDIT = 2


class _GivenUp(Exception):
    """The worker has sent a Close with an error."""


class _UsedIDs:
    """The ids of all batches. Those that follow one another take no memory."""

    def __init__(self) -> None:
        self._next = 1  # all below were used, other than 0
        self._others: set[int] = set()

    def add(self, number: int) -> bool:
        """Reports whether the id is new."""
        if 0 < number < self._next or number in self._others:
            return False
        self._others.add(number)
        while self._next in self._others:
            self._others.remove(self._next)
            self._next += 1
        return True


class Reader(threading.Thread):
    """Answers pings, takes credit, and puts everything else into the events, in its order."""

    def __init__(
        self, connection: socket.socket, sender: Sender, events: Events, on_lost: Callable[[], None]
    ) -> None:
        """on_lost is called by this thread when what the process still does counts for nothing."""
        super().__init__(name="millrace-reader", daemon=True)
        self.lost = False
        self._frames = FrameReader(connection)
        self._sender = sender
        self._events = events
        self._on_lost = on_lost
        self._granted = BATCH_CREDIT
        self._received = 0
        self._used = _UsedIDs()
        self._greeted = False
        self._closed = False  # by the worker
        self._ending = False

    def grant(self) -> None:
        """Says that the worker may send one batch more. The main thread calls it."""
        self._granted += 1

    def drop_all(self) -> None:
        """Says that this side closes: what still comes is dropped. The main thread calls it."""
        self._ending = True

    def run(self) -> None:
        try:
            while (frame := self._frames.read()) is not None:
                if not self._ending:
                    self._take(frame)
            if not self._closed:
                self._lose("the worker has closed the connection without a word")
        except ProtocolError as error:
            self._lose(f"the worker has broken the protocol: {error}", str(error))
        except _GivenUp as error:
            self._lose(f"the worker has given up this process: {error}")
        except OSError as error:
            self._lose(f"the connection to the worker broke: {error}")
        except BaseException as error:
            self._lose(f"reading from the worker failed: {error!r}")
            raise
        finally:
            # The worker may have ended only its own direction, after a Close.
            self._sender.end_credit()

    def _take(self, frame: pb.WorkerFrame) -> None:
        kind = frame.WhichOneof("message")
        if kind is None:
            raise ProtocolError("a frame has no message that this version knows")
        if kind != "close" and (kind == "hello") == self._greeted:
            raise ProtocolError("a second Hello" if self._greeted else f"a {kind} before the Hello")
        if kind == "batch":
            self._take_batch(frame.batch)
        elif kind == "credit":
            self._sender.add_credit(frame.credit.bytes)
        elif kind == "ping":
            self._sender.send_pong(frame.ping)
        elif kind == "drain":
            self._events.put(frame.drain)
        elif kind == "hello":
            self._take_hello(frame.hello)
        elif frame.close.error:
            raise _GivenUp(frame.close.error)
        else:
            self._closed = True
            self._events.put(frame.close)

    def _take_hello(self, hello: pb.WorkerHello) -> None:
        if hello.version != PROTOCOL_VERSION:
            raise ProtocolError(
                f"it has chosen version {hello.version}: this one speaks {PROTOCOL_VERSION}"
            )
        self._greeted = True
        self._sender.add_credit(hello.byte_credit)
        self._events.put(hello)

    def _take_batch(self, batch: pb.Batch) -> None:
        received = time.monotonic()
        self._received += 1
        if self._received > self._granted:
            raise ProtocolError(f"batch {batch.id} came without credit")
        if not batch.records:
            raise ProtocolError(f"batch {batch.id} has no records")
        if not self._used.add(batch.id):
            raise ProtocolError(f"the id {batch.id} came twice")
        self._events.put(Held(batch, received))

    def _lose(self, reason: str, error: str = "") -> None:
        if self._ending or (self._closed and not error):
            return
        self.lost = True
        self._on_lost()
        # The main thread closes the socket when it has the event.
        self._sender.end(error)
        self._events.put(Lost(reason))
