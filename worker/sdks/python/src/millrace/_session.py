"""A process's work over one connection."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import socket
import time

from millrace import _dial, _record
from millrace._answer import Answer
from millrace._call import Call
from millrace._events import Event, Events, Held, Lost, Stop
from millrace._frames import MAX_FRAME_BYTES
from millrace._processor import Processor, Wishes
from millrace._protocol import processor_pb2 as pb
from millrace._reader import BATCH_CREDIT, PROTOCOL_VERSION, Reader
from millrace._sender import Sender
from millrace._version import __version__
from millrace._watch import Stage, Watch

_log = logging.getLogger("millrace")

# From this side's Close to the end of the stream.
_CLOSING_SECONDS = 10.0
# How often a process without a batch says that it lives.
_BEAT_SECONDS = 5.0
# For what follows the connection: the rest of setup, of the program, and of its threads.
_ENDING_SECONDS = 60.0


class Disconnected(Exception):
    """The connection has ended without a Close in good order."""


def work(processor: Processor[..., object], path: str, watch: Watch) -> None:
    """Runs a processor in this process until the worker closes or the process gets SIGTERM.

    The process connects when setup is done, and it does not connect a second time: after an end
    without a Close in good order it raises Disconnected, and a new process has no state of the
    old one.
    """
    with processor.started() as call:
        events: Events = queue.SimpleQueue()
        # Before this, SIGTERM ends the process at once: it has nothing in hand.
        signal.signal(signal.SIGTERM, lambda *_: events.put(Stop()))
        connection = _dial.connect(path, events)
        if connection is None:
            return
        # A fork of the user's code that lives on would keep the connection open, and the worker
        # would wait for a process that has ended.
        os.register_at_fork(after_in_child=connection.close)
        with connection:
            _Session(connection, events, watch, call).run(processor.wishes)
        # One that hangs there would keep its program from ending, and so from being started again.
        watch.expect(time.monotonic() + _ENDING_SECONDS)


class _Session:
    """The main thread's side of a connection."""

    def __init__(self, connection: socket.socket, events: Events, watch: Watch, call: Call) -> None:
        self._sender = Sender(connection)
        # Whatever the process still does then is of no use, so it is overdue.
        self._reader = Reader(
            connection, self._sender, events, on_lost=lambda: watch.expect(time.monotonic())
        )
        self._events = events
        self._watch = watch
        self._call = call
        self._hello = pb.WorkerHello()

    def run(self, wishes: Wishes) -> None:
        self._sender.send(pb.ProcessFrame(hello=_hello(wishes)))
        self._reader.start()
        try:
            while self._act(self._next()):
                pass
        finally:
            self._reader.drop_all()
            self._sender.end()
            self._reader.join(_CLOSING_SECONDS)

    def _next(self) -> Event:
        """Waits for the next event. The supervisor sees that the process waits, and lives."""
        try:
            while True:
                self._watch.wait()
                with contextlib.suppress(queue.Empty):
                    return self._events.get(timeout=_BEAT_SECONDS)
        finally:
            self._watch.work()

    def _act(self, event: Event) -> bool:
        """Acts on an event. It reports whether the session goes on."""
        if isinstance(event, Held):
            if not self._reader.lost:  # there is an event behind it that says why
                self._process(event)
        elif isinstance(event, pb.WorkerHello):
            self._hello = event
            self._watch.reach(Stage.CONNECTED)
            _log.info("connected to the worker of topic %s, group %s", event.topic, event.group)
        elif isinstance(event, pb.Drain):
            # Every batch before it is answered.
            self._sender.send(pb.ProcessFrame(drained=pb.Drained()))
        elif isinstance(event, pb.Close):
            self._watch.reach(Stage.ENDED)
            return False
        elif isinstance(event, Stop):
            self._close()
            return False
        elif isinstance(event, Lost):
            raise Disconnected(event.reason)
        return True

    def _process(self, held: Held) -> None:
        batch, deadline = held.batch, None
        if batch.timeout_ms:
            deadline = held.received + batch.timeout_ms / 1000
            self._watch.expect(deadline)
        records = [_record.of_message(message, batch.topic, deadline) for message in batch.records]
        answer = Answer(batch.id, records, self._hello.max_frame_bytes, self._sender.send_results)
        self._call(answer, self._hello.ordering)
        answer.flush()
        self._watch.expect(0)
        self._watch.reach(Stage.USEFUL)
        self._reader.grant()
        self._sender.send_batch_credit()

    def _close(self) -> None:
        """Ends in good order. What still comes is read and dropped, so that the worker loses none
        of the results that it has not read yet."""
        self._reader.drop_all()
        self._sender.send(pb.ProcessFrame(close=pb.Close()))
        self._reader.join(_CLOSING_SECONDS)


def _hello(wishes: Wishes) -> pb.ProcessHello:
    return pb.ProcessHello(
        min_version=PROTOCOL_VERSION,
        max_version=PROTOCOL_VERSION,
        sdk=f"millrace-python {__version__}",
        pid=os.getpid(),
        max_records=wishes.max_records,
        max_bytes=wishes.max_bytes,
        linger_ms=wishes.linger_ms,
        batch_credit=BATCH_CREDIT,
        max_frame_bytes=MAX_FRAME_BYTES,
    )
