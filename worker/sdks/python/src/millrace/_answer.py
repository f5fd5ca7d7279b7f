"""The results of one batch, as they are made."""

from __future__ import annotations

import time
from collections.abc import Callable

from millrace import _failure_message, _outputs, _wire
from millrace._protocol import processor_pb2 as pb
from millrace._record import Record

# Results are sent at the latest when they have this size, or when the first of them is this old:
# then a crash repeats little.
_SEND_BYTES = 1 << 20
_SEND_SECONDS = 0.05

#: Sends an encoded ProcessFrame with Results.
Send = Callable[[bytes], None]


class Answer:
    """Collects the results of a batch and sends them.

    All results of a batch have to fit into the worker's largest frame. Once they don't, `failed`
    is True, and calling the function for the rest of the batch is of no use.
    """

    def __init__(self, batch: int, records: list[Record], largest: int, send: Send) -> None:
        self.records = records
        self.failed = False
        #: When `flush` should be called, by time.monotonic().
        self.due = time.monotonic() + _SEND_SECONDS
        self._batch = batch
        self._largest = largest
        self._send = send
        self._sent_bytes = 0
        self._parts: list[bytes] = []
        self._parts_bytes = 0

    def put(self, index: int, value: object) -> None:
        """Adds the results of one record, or the failure that they are not of a known type."""
        if value is None:
            part = _wire.filtered(index)
        elif type(value) is bytes:
            part = _wire.one_value(index, value)
        elif value is self.records[index]:
            part = _wire.same_record(index)
        else:
            try:
                outputs = _outputs.of_value(value, self.records[index])
                part = _wire.any_result(pb.Result(index=index, outputs=outputs))
            except Exception as error:
                self.fail(index, error)
                return
        self._add(part)

    def fail(self, index: int, error: BaseException) -> None:
        """Adds the failure of one record."""
        failure = _failure_message.of_exception(error)
        self._add(_wire.any_result(pb.Result(index=index, failure=failure)))

    def fail_all(self, error: BaseException) -> None:
        """Fails the batch, without a record at fault if it has several."""
        if len(self.records) == 1:
            self.fail(0, error)
        else:
            self._fail_batch(_failure_message.of_exception(error))

    def flush(self) -> None:
        """Sends the results that have not been sent yet."""
        self.due = time.monotonic() + _SEND_SECONDS
        if self.failed or not self._parts:
            return
        frame = _wire.results(self._batch, self._parts)
        self._sent_bytes += len(frame)
        if self._sent_bytes > self._largest:
            self._too_large()
            return
        self._send(frame)
        self._parts.clear()
        self._parts_bytes = 0

    def _add(self, part: bytes) -> None:
        self._parts.append(part)
        self._parts_bytes += len(part)
        if self._parts_bytes >= _SEND_BYTES:
            self.flush()

    def _too_large(self) -> None:
        problem = f"the results have more than {self._largest} bytes, which the worker refuses"
        if len(self.records) > 1:
            self._fail_batch(pb.Failure(message=problem))
            return
        self.failed = True
        failure = pb.Failure(kind=pb.Failure.PERMANENT, message=problem)
        part = _wire.any_result(pb.Result(index=0, failure=failure))
        self._send(_wire.results(self._batch, [part]))

    def _fail_batch(self, failure: pb.Failure) -> None:
        self.failed = True
        results = pb.Results(batch=self._batch, failure=failure)
        self._send(pb.ProcessFrame(results=results).SerializeToString())
