"""Logs on standard error, each record in one line.

The worker, or the cluster, reads the lines. The supervisor imports this module too, so it needs
nothing but the standard library.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time

_FORMAT_VARIABLE = "MILLRACE_LOG_FORMAT"


def configure(process: int | None = None) -> None:
    """Sets up the root logger, unless the program has. process is the number of this one, which
    goes into each line."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(process))
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def _formatter(process: int | None) -> logging.Formatter:
    kind = os.environ.get(_FORMAT_VARIABLE, "text")
    if kind == "json":
        return _JSONLines(process)
    if kind == "text":
        return _TextLines(process)
    raise ValueError(f"{_FORMAT_VARIABLE} is {kind!r}: it has to be text or json")


class _Lines(logging.Formatter):
    def __init__(self, process: int | None) -> None:
        super().__init__()
        self._process = process

    def _error(self, record: logging.LogRecord) -> str:
        return self.formatException(record.exc_info) if record.exc_info else ""


class _TextLines(_Lines):
    def format(self, record: logging.LogRecord) -> str:
        process = "" if self._process is None else f" process={self._process}"
        line = f"{_when(record)} {record.levelname} {record.name}{process}: {record.getMessage()}"
        if error := self._error(record):
            line += "\n" + error
        return line.replace("\r", "\\r").replace("\n", "\\n")


class _JSONLines(_Lines):
    def format(self, record: logging.LogRecord) -> str:
        # The names are those of the worker's own logs.
        line: dict[str, object] = {
            "time": _when(record),
            "level": record.levelname,
            "msg": record.getMessage(),
            "logger": record.name,
        }
        if self._process is not None:
            line["process"] = self._process
        if error := self._error(record):
            line["err"] = error
        return json.dumps(line)


def _when(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"
