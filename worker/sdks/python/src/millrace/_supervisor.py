"""Starts the processes of a program and looks after them.

The supervisor is the program's first process, which has become a small Python process of this
module (see _run). So the libraries and the models of the user are in memory only where they work.
It imports nothing but the standard library.

Each process is the same command, started afresh, and not a fork: a fork copies locks that threads
of the user's libraries hold at that moment, and some of these libraries hang after it.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
import time

from millrace import _log
from millrace._watch import Stage, Watch

#: Says to a process which one it is: its number, the descriptor of the lifeline, and the watch's.
ROLE_VARIABLE = "MILLRACE_SUPERVISED"

_logger = logging.getLogger("millrace")

# Past the deadline of a batch, or of the process's end. The worker has given the process up then.
_GRACE = 2.0
# Of a process that waits for work. The worker has given it up by then, too.
_SILENCE = 60.0
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 10.0
_POLL = 0.25

_CAN_NOT_START = "a process has ended, and none has ever connected"


def main(arguments: list[str]) -> int:
    """Runs as many processes of a command as the first argument says, and returns the exit
    code."""
    _log.configure()
    return Supervisor(int(arguments[0]), arguments[1:]).run()


class Supervisor:
    """Runs processes until the worker closes or a signal asks for the end."""

    def __init__(self, count: int, command: list[str]) -> None:
        # Nobody writes to it. Its end says to the processes that the supervisor is gone.
        lifeline, self._lifeline = os.pipe()
        self._processes = [_Process(number, command, lifeline) for number in range(count)]
        self._signals = 0
        self._wake, wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._count_signal)

    def run(self) -> int:
        """Returns the exit code: 1 if the program can't start."""
        ending, killing = "", False
        while not all(process.over for process in self._processes):
            for process in self._processes:
                process.tend(stopping=bool(ending))
            if not ending and (ending := self._reason_to_end()):
                _logger.info("%s: ending as soon as the processes have answered", ending)
                for process in self._processes:
                    process.terminate()
            elif not killing and self._signals > 1:
                killing = True
                for process in self._processes:
                    process.kill()
            select.select([self._wake], [], [], _POLL)
            self._forget_wakes()
        return 1 if ending == _CAN_NOT_START else 0

    def _reason_to_end(self) -> str:
        """Returns "" if there is none."""
        reached = max(process.reached for process in self._processes)
        if self._signals:
            return "a signal has come"
        if reached == Stage.ENDED:
            return "the worker has closed"
        # Whoever has started the program learns only by its end that it never works.
        if reached == Stage.STARTED and any(process.failed for process in self._processes):
            return _CAN_NOT_START
        return ""

    def _count_signal(self, *_: object) -> None:
        self._signals += 1

    def _forget_wakes(self) -> None:
        try:
            while os.read(self._wake, 4096):
                pass
        except BlockingIOError:
            pass


class _Process:
    """One of the processes, over all its starts."""

    def __init__(self, number: int, command: list[str], lifeline: int) -> None:
        self.over = False
        self.failed = False
        #: How far any of its starts has come.
        self.reached = Stage.STARTED
        self._number = number
        self._command = command
        self._lifeline = lifeline
        self._watch = Watch.create()
        self._running: subprocess.Popen[bytes] | None = None
        self._start_at = 0.0
        self._failures = 0
        self._waits = 0.0
        self._silent = 0.0
        self._looked = 0.0

    def tend(self, stopping: bool) -> None:
        """Starts, kills or buries the process, whatever it is time for."""
        self.reached = max(self.reached, self._watch.stage())
        if self.over:
            return
        if self._running is None:
            if stopping:
                self.over = True
            elif time.monotonic() >= self._start_at:
                self._start()
        elif (code := self._running.poll()) is not None:
            self._ended(code, stopping)
        elif self._watch.overrun() > _GRACE:
            _logger.error(
                "process %d (pid %d) has overrun the deadline of its batch, or of its end, by"
                " %.0f s: killing it",
                self._number, self._running.pid, _GRACE,
            )  # fmt: skip
            self.kill()
        elif self._silence() > _SILENCE:
            _logger.error(
                "process %d (pid %d) is frozen: it waits for work, and has been silent for %.0f s:"
                " killing it",
                self._number, self._running.pid, _SILENCE,
            )  # fmt: skip
            self.kill()

    def _silence(self) -> float:
        """Returns for how many seconds a process that waits for work has said nothing.

        Time in which the supervisor did not look counts for little: a container that was frozen
        as a whole has had no silent process.
        """
        now, waits = time.monotonic(), self._watch.waits()
        if waits and waits == self._waits:
            self._silent += min(now - self._looked, 2 * _POLL)
        else:
            self._silent = 0.0
        self._looked, self._waits = now, waits
        return self._silent

    def terminate(self) -> None:
        if self._running is not None:
            self._running.terminate()

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()

    def _start(self) -> None:
        self._watch.clear()
        descriptors = (self._lifeline, self._watch.descriptor)
        role = " ".join(map(str, (self._number, *descriptors)))
        self._running = subprocess.Popen(
            self._command,
            env={**os.environ, ROLE_VARIABLE: role},
            pass_fds=descriptors,
            # A terminal's Ctrl-C goes to the supervisor alone, which lets the processes finish.
            start_new_session=True,
        )

    def _ended(self, code: int, stopping: bool) -> None:
        self._running = None
        stage = self._watch.stage()
        self.reached = max(self.reached, stage)
        if stage == Stage.ENDED or stopping:
            self.over = True
            return
        self.failed = True
        # A worker that looks for the record that crashes its process has many crashes in a row,
        # and good batches between them.
        if stage == Stage.USEFUL:
            self._failures = 0
        wait = min(_FIRST_WAIT * 2**self._failures, _LONGEST_WAIT)
        self._failures += 1
        self._start_at = time.monotonic() + wait
        _logger.error(
            "process %d has ended by %s: starting it again in %g s",
            self._number, _cause(code), wait,
        )  # fmt: skip


def _cause(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
