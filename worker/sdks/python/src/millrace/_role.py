"""A process's ties to its supervisor."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from dataclasses import dataclass

from millrace._supervisor import ROLE_VARIABLE
from millrace._watch import Watch

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Role:
    number: int
    watch: Watch


def take() -> Role | None:
    """Returns which of a supervisor's processes this one is; None if it is no such.

    From then on it dies with the supervisor. Programs that the user's code starts inherit none of
    this.
    """
    value = os.environ.pop(ROLE_VARIABLE, None)
    if value is None:
        return None
    number, lifeline, watch = map(int, value.split())
    os.set_inheritable(lifeline, False)
    os.set_inheritable(watch, False)
    _die_with_parent()
    threading.Thread(target=_hold, args=(lifeline,), name="millrace-lifeline", daemon=True).start()
    return Role(number, Watch(watch))


def _die_with_parent() -> None:
    # The lifeline's thread can't run while an extension holds the interpreter's lock.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _hold(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)
