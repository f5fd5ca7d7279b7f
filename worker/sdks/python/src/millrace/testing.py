"""Runs a processor on records in a test, without a worker.

results = millrace.testing.process(shout, [millrace.Record(b"hello")])
assert results[0].values == [b"HELLO"]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from millrace import _values
from millrace._answer import Answer
from millrace._processor import Processor
from millrace._protocol import processor_pb2 as pb
from millrace._record import Header, Record

_MAX_RESULT_BYTES = 64 << 20

#: The kinds of failures, as the protocol names them.
RETRY, PERMANENT, DROP, DEAD_LETTER = "RETRY", "PERMANENT", "DROP", "DEAD_LETTER"


@dataclass(frozen=True)
class Written:
    """A record that the worker would write. "" as the topic is the manifest's output topic."""

    value: bytes | None
    key: bytes | None
    headers: list[Header]
    topic: str
    timestamp_ms: int | None

    @property
    def timestamp(self) -> datetime | None:
        return None if self.timestamp_ms is None else _values.moment(self.timestamp_ms)


@dataclass(frozen=True)
class Failure:
    """Why an attempt has failed, and what becomes of the record."""

    kind: str
    message: str
    detail: str
    retry_after: float
    dead_letter_topic: str


@dataclass(frozen=True)
class Result:
    """What has become of one record."""

    record: Record
    outputs: list[Written] = field(default_factory=list)
    failure: Failure | None = None

    @property
    def filtered(self) -> bool:
        """Whether the record has neither outputs nor a failure."""
        return not self.outputs and self.failure is None

    @property
    def values(self) -> list[bytes | None]:
        """The values of the outputs."""
        return [output.value for output in self.outputs]


def process(
    target: Processor[..., Any] | Callable[..., Any],
    records: Sequence[Record],
    *,
    ordering: str = "Unordered",
) -> list[Result]:
    """Runs a processor, or a function as one, on records as on one batch. It runs setup too.

    The result has one item for each record, in their order. ordering is that of the manifest. If
    a batch function fails as a whole, each record has that failure; a worker would try smaller
    batches.
    """
    if ordering not in ("Unordered", "Key", "Partition"):
        raise ValueError(f"ordering is {ordering!r}: it has to be Unordered, Key or Partition")
    if not records:
        return []
    processor = target if isinstance(target, Processor) else Processor(target)
    sent: list[bytes] = []
    answer = Answer(1, list(records), _MAX_RESULT_BYTES, sent.append)
    with processor.started() as call:
        call(answer, ordering)
    answer.flush()
    parts = [pb.ProcessFrame.FromString(frame).results for frame in sent]
    if parts[-1].HasField("failure"):
        failure = _failure(parts[-1].failure)
        return [Result(record, failure=failure) for record in records]
    return _in_order(records, parts)


def _in_order(records: Sequence[Record], parts: list[pb.Results]) -> list[Result]:
    by_index = {result.index: result for results in parts for result in results.results}
    return [_result(record, by_index[index]) for index, record in enumerate(records)]


def _result(record: Record, result: pb.Result) -> Result:
    if result.HasField("failure"):
        return Result(record, failure=_failure(result.failure))
    return Result(record, [_written(record, output) for output in result.outputs])


def _written(record: Record, output: pb.Output) -> Written:
    headers = record.headers if output.same_headers else []
    return Written(
        value=record.value if output.same_value else _optional(output, "value"),
        key=record.key if output.same_key else _optional(output, "key"),
        headers=headers + [_values.pair(header) for header in output.headers],
        topic=output.topic,
        timestamp_ms=_optional(output, "timestamp_ms", record.timestamp_ms),
    )


def _optional(output: pb.Output, name: str, default: Any = None) -> Any:
    return getattr(output, name) if output.HasField(name) else default


def _failure(failure: pb.Failure) -> Failure:
    return Failure(
        kind=pb.Failure.Kind.Name(failure.kind),
        message=failure.message,
        detail=failure.detail,
        retry_after=failure.retry_after_ms / 1000,
        dead_letter_topic=failure.dead_letter_topic,
    )
