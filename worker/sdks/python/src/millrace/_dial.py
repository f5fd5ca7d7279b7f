"""Connects to the worker."""

from __future__ import annotations

import logging
import queue
import socket
import time

from millrace._events import Events, Lost, Stop

_log = logging.getLogger("millrace")

_FIRST_WAIT = 0.02
_LONGEST_WAIT = 1.0
# Between two lines in the log.
_PATIENCE = 30.0


def connect(path: str, events: Events) -> socket.socket | None:
    """Connects, and waits while the socket is not there yet. It returns None if the process is
    asked to end before."""
    wait, warn_at = _FIRST_WAIT, time.monotonic() + _PATIENCE
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(path)
            return connection
        # The worker does not listen yet, or has not taken the connections that wait.
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError) as error:
            connection.close()
            if time.monotonic() >= warn_at:
                _log.warning("still waiting for the worker at %s: %s", path, error)
                warn_at = time.monotonic() + _PATIENCE
        except OSError as error:
            connection.close()
            raise OSError(error.errno, f"connecting to the worker at {path}: {error}") from error
        if _asked_to_end(events, wait):
            return None
        wait = min(2 * wait, _LONGEST_WAIT)


def _asked_to_end(events: Events, wait: float) -> bool:
    try:
        return isinstance(events.get(timeout=wait), (Stop, Lost))
    except queue.Empty:
        return False
