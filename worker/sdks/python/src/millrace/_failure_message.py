"""Turns exceptions into the protocol's failures."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import TracebackType

from millrace._failures import DeadLetter, Drop, FailedAttempt, Permanent, RetryAfter
from millrace._protocol import processor_pb2 as pb

# A worker keeps as many bytes of a message and of a detail.
_MESSAGE_BYTES = 1024
_DETAIL_BYTES = 16 * 1024
# Of a traceback, from the innermost on.
_FRAMES = 50
# Those that call the user's function.
_CALLERS = {"millrace._call", "millrace._arrays", "millrace._processor"}


def of_exception(error: BaseException) -> pb.Failure:
    """Returns the failure of an attempt that has ended with an exception."""
    failure = pb.Failure(message=_guarded(_message, error), detail=_guarded(_detail, error))
    try:
        _set_kind(failure, error)
    except Exception as problem:
        # A subclass that does not call __init__ of its base has no topic and no seconds.
        cause = _guarded(_message, problem)
        text = f"{type(error).__name__} does not say what becomes of the record: {cause}"
        return pb.Failure(message=text[:_MESSAGE_BYTES], detail=failure.detail)
    return failure


def _set_kind(failure: pb.Failure, error: BaseException) -> None:
    """Says what becomes of the record."""
    if isinstance(error, Permanent):
        failure.kind = pb.Failure.PERMANENT
    elif isinstance(error, Drop):
        failure.kind = pb.Failure.DROP
    elif isinstance(error, DeadLetter):
        failure.kind = pb.Failure.DEAD_LETTER
        failure.dead_letter_topic = _encodable(error.topic)
    elif isinstance(error, RetryAfter):
        failure.retry_after_ms = error.milliseconds()


def _guarded(describe: Callable[[BaseException], str], error: BaseException) -> str:
    """Describes an exception. That may run code of its class, which may fail."""
    try:
        return describe(error)
    except Exception as problem:
        return f"{type(error).__name__}, which can't be described: {type(problem).__name__}"


def _message(error: BaseException) -> str:
    """Returns one line. The reason of this package's exceptions speaks for itself; that of others
    stands behind their class, as in a traceback."""
    text = ""
    if isinstance(error, FailedAttempt):
        text = error.reason() or (_line(error.__cause__) if error.__cause__ else "")
    text = text or _line(error)
    return _encodable(" ".join(text.split()))[:_MESSAGE_BYTES]


def _line(error: BaseException) -> str:
    return traceback.format_exception_only(type(error), error)[-1]


def _detail(error: BaseException) -> str:
    frames = traceback.TracebackException(
        type(error), error, _of_the_user(error.__traceback__), limit=-_FRAMES
    )
    detail = _encodable("".join(frames.format())).encode()
    if len(detail) <= _DETAIL_BYTES:
        return detail.decode()
    # The end of a traceback says most.
    return "..." + detail[-_DETAIL_BYTES + len("...") :].decode(errors="ignore")


def _of_the_user(frames: TracebackType | None) -> TracebackType | None:
    """Leaves out this package's call of the user's function."""
    while frames and frames.tb_frame.f_globals.get("__name__") in _CALLERS:
        frames = frames.tb_next
    return frames


def _encodable(text: str) -> str:
    """Replaces lone surrogates, which Protobuf refuses."""
    return text.encode("utf-8", "backslashreplace").decode()
