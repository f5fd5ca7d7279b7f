"""Runs a processor as the main of a program."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from millrace import _log, _role
from millrace._processor import Processor
from millrace._session import Disconnected, work
from millrace._watch import Watch

_logger = logging.getLogger("millrace")

# Imports the supervisor from the package's folder, but not the package, which would import much.
_SUPERVISOR = """
import sys, types
package = types.ModuleType("millrace")
package.__path__ = [sys.argv[1]]
sys.modules["millrace"] = package
from millrace import _supervisor
sys.exit(_supervisor.main(sys.argv[2:]))
"""


def run(target: Processor[..., Any] | Callable[..., Any]) -> None:
    """Runs a processor, or a function as one, until the worker closes or SIGTERM comes.

    It is the last thing that a program does, and what stands before it runs in each of the
    MILLRACE_PROCESSES processes: the first process becomes their supervisor, and each of them
    is the program from its beginning. The call returns in the processes, so that they can close
    what they have opened. With MILLRACE_PROCESSES=0 this process is the only one, for a debugger.

    It raises SystemExit if the connection to the worker breaks or the processor's setup fails.
    """
    processor = target if isinstance(target, Processor) else Processor(target)
    path = os.environ.get("MILLRACE_SOCKET")
    if not path:
        raise RuntimeError(
            "MILLRACE_SOCKET is not set: the worker sets it for the programs that it runs. Start"
            " this one by `millrace run --sidecar`, or test it with millrace.testing"
        )
    processes = _processes()
    if role := _role.take():
        _work(processor, path, role.watch, role.number)
    elif processes == 0:
        _work(processor, path, Watch.create(), None)
    else:
        _become_supervisor(processes)


def _processes() -> int:
    value = os.environ.get("MILLRACE_PROCESSES", "1")
    if not value.isdecimal():
        raise RuntimeError(f"MILLRACE_PROCESSES is {value!r}: it has to be a number of processes")
    return int(value)


def _work(processor: Processor[..., Any], path: str, watch: Watch, number: int | None) -> None:
    _log.configure(number)
    try:
        work(processor, path, watch)
    except Disconnected as error:
        _logger.error("%s", error)
        sys.exit(1)
    except Exception:
        _logger.exception("the processor has failed")
        sys.exit(1)


def _become_supervisor(processes: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    supervisor = [sys.executable, "-I", "-S", "-c", _SUPERVISOR, str(Path(__file__).parent)]
    command = [sys.executable, *sys.orig_argv[1:]]
    os.execv(sys.executable, [*supervisor, str(processes), *command])
