"""Sends frames to the worker."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque

from millrace._frames import frame, frame_of
from millrace._protocol import processor_pb2 as pb

_ONE_CREDIT = frame_of(pb.ProcessFrame(credit=pb.BatchCredit(batches=1)))


class Sender:
    """Sends frames, Results only as far as there is credit for them.

    The main thread sends, and the reading thread answers pings. After the connection has ended,
    frames go nowhere: the reading thread finds out why it has ended.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._sending = threading.Lock()
        self._pongs: deque[bytes] = deque()
        self._credit_changed = threading.Condition()
        self._credit = 0
        self._credit_ended = False

    def send(self, message: pb.ProcessFrame) -> None:
        self._send(frame_of(message))

    def send_results(self, message: bytes) -> None:
        """Sends an encoded ProcessFrame with Results as soon as there is credit for it."""
        if self._take_credit(len(message)):
            self._send(frame(message))

    def send_batch_credit(self) -> None:
        """Lets the worker send one batch more."""
        self._send(_ONE_CREDIT)

    def send_pong(self, ping: pb.Ping) -> None:
        """Answers a ping, without waiting for the other thread."""
        self._pongs.append(frame_of(pb.ProcessFrame(pong=pb.Pong(id=ping.id))))
        self._send_pongs()

    def add_credit(self, size: int) -> None:
        """Allows as many bytes of Results more."""
        with self._credit_changed:
            self._credit += size
            self._credit_changed.notify()

    def end_credit(self) -> None:
        """Says that no more credit comes."""
        with self._credit_changed:
            self._credit_ended = True
            self._credit_changed.notify()

    def end(self, error: str = "") -> None:
        """Ends the connection, and tells the worker why if it does not know."""
        self.end_credit()
        # The main thread may be writing what the worker does not read.
        if error and self._sending.acquire(timeout=1):
            self._write(frame_of(pb.ProcessFrame(close=pb.Close(error=error))))
            self._sending.release()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _take_credit(self, size: int) -> bool:
        """Waits for credit. It returns False if no more comes."""
        with self._credit_changed:
            self._credit_changed.wait_for(lambda: self._credit >= size or self._credit_ended)
            if self._credit < size:
                return False
            self._credit -= size
            return True

    def _send(self, frame: bytes) -> None:
        with self._sending:
            self._write(frame)
        self._send_pongs()

    def _send_pongs(self) -> None:
        # The reading thread must not wait for the lock: if both sides waited until they can
        # write, neither would read. Whoever holds the lock looks for pongs after giving it back.
        while self._pongs and self._sending.acquire(blocking=False):
            try:
                while self._pongs:
                    self._write(self._pongs.popleft())
            finally:
                self._sending.release()

    def _write(self, frame: bytes) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendall(frame)
