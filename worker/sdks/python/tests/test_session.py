"""A process's side of the protocol, over a socket with a worker that a test plays."""

from __future__ import annotations

import os
import struct
import subprocess
import time

import pytest
from fake_worker import PATIENCE, Connection, Worker, frame, record

from millrace._protocol import processor_pb2 as pb

ECHO = "millrace.run(lambda record: record.value)"


def started(worker: Worker, program: str = ECHO, **hello: object) -> Connection:
    """Starts a program and exchanges Hellos."""
    worker.start(program)
    connection = worker.accept()
    connection.greet(**hello)
    return connection


def exit_code(worker: Worker) -> int:
    return worker.program.wait(PATIENCE)


def test_hello(worker: Worker) -> None:
    program = worker.start("""
@millrace.batch_processor(max_records=100, max_bytes=1000, linger=0.5)
def echo(records):
    return [record.value for record in records]
echo.run()
""")
    hello = worker.accept().greet()
    assert (hello.min_version, hello.max_version) == (1, 1)
    assert hello.sdk == f"millrace-python {__import__('millrace').__version__}"
    assert hello.pid == program.pid
    assert (hello.max_records, hello.max_bytes, hello.linger_ms) == (100, 1000, 500)
    assert (hello.batch_credit, hello.max_frame_bytes) == (2, 64 << 20)


def test_results(worker: Worker) -> None:
    connection = started(
        worker,
        """
@millrace.processor
def each(record):
    if record.value == b"fail":
        raise millrace.RetryAfter(1.5, "busy")
    if record.value == b"same":
        return record
    if record.value == b"where":
        return f"{record.topic} {record.partition} {record.offset} {record.attempt}"
    return record.value
each.run()
""",
    )
    where = record(b"where", 7, partition=3)
    where.attempt = 2
    results = connection.ask(
        record(b"v"), record(None), record(b""), record(b"fail"), record(b"same"), where
    )
    kept = {"same_key": True, "same_headers": True}
    assert list(results[0].outputs) == [pb.Output(value=b"v", **kept)]  # type: ignore[arg-type]
    assert results[1] == pb.Result(index=1)
    assert list(results[2].outputs) == [pb.Output(value=b"", **kept)]  # type: ignore[arg-type]
    assert results[2].outputs[0].HasField("value")
    failure = results[3].failure
    assert (failure.kind, failure.message) == (pb.Failure.RETRY, "busy")
    assert failure.retry_after_ms == 1500 and "Traceback" in failure.detail
    assert list(results[4].outputs) == [pb.Output(same_value=True, **kept)]  # type: ignore[arg-type]
    assert results[5].outputs[0].value == b"orders 3 7 2"


def test_the_deadline_is_that_of_the_batch(worker: Worker) -> None:
    connection = started(worker, "millrace.run(lambda record: str(record.deadline))")
    for number, timeout_ms in enumerate((0, 60_000), 1):
        sent = time.monotonic()
        results = connection.ask(record(), record(), id=number, timeout_ms=timeout_ms)
        answered = time.monotonic()
        deadlines = {result.outputs[0].value.decode() for result in results}
        if timeout_ms:
            assert sent + 60 <= float(deadlines.pop()) <= answered + 60
        else:
            assert deadlines.pop() == "None"
        assert not deadlines, "the records of a batch have different deadlines"


def test_an_exception_of_a_batch_function_names_no_record(worker: Worker) -> None:
    connection = started(
        worker,
        """
@millrace.batch_processor
def fail(records):
    raise ValueError("bad batch")
fail.run()
""",
    )
    connection.send_batch(record(), record())
    results = connection.expect("results")
    assert results.failure.message == "ValueError: bad batch" and not results.results
    assert connection.expect("credit").batches == 1
    (result,) = connection.ask(record(), id=2)
    assert result.failure.message == "ValueError: bad batch"


# Waits for a file, so that a test decides when the record is done, and says that it does.
WAIT = """
import os, time
from pathlib import Path
def wait(record):
    if record.value:
        Path(record.text() + ".awaited").touch()
    while record.value and not Path(record.text()).exists():
        time.sleep(0.005)
    return record.value
millrace.run(wait)
"""


def test_a_ping_is_answered_while_the_code_runs(worker: Worker) -> None:
    connection = started(worker, WAIT)
    done = worker.path.with_name("done")
    connection.send_batch(record(os.fsencode(done)))
    for number in range(100):
        connection.send(ping=pb.Ping(id=number))
        assert connection.expect("pong").id == number
    done.touch()
    assert connection.results()[0].outputs[0].value == os.fsencode(done)


def test_results_do_not_wait_for_slow_records(worker: Worker) -> None:
    connection = started(worker, WAIT)
    files = [worker.path.with_name(name) for name in ("first", "second", "third")]
    connection.send_batch(*(record(os.fsencode(file)) for file in files))
    while not files[0].with_suffix(".awaited").exists():
        time.sleep(0.01)
    time.sleep(0.06)  # the first record takes longer than results wait
    files[0].touch()
    early = connection.expect("results")
    assert [result.index for result in early.results] == [0]
    files[1].touch()
    files[2].touch()
    late: list[int] = []
    while len(late) < 2:
        late += (result.index for result in connection.expect("results").results)
    assert late == [1, 2]
    connection.expect("credit")


def test_the_next_batch_waits_in_the_process(worker: Worker) -> None:
    connection = started(worker, WAIT)
    done = worker.path.with_name("done")
    connection.send_batch(record(os.fsencode(done)), id=1)
    connection.send_batch(record(), id=2)
    # It has read the second batch when it answers what is behind it.
    connection.send(ping=pb.Ping(id=1))
    connection.expect("pong")
    done.touch()
    connection.results(1)
    connection.results(2)


def test_results_wait_for_credit(worker: Worker) -> None:
    connection = started(worker, byte_credit=200, max_frame_bytes=100)
    # Each answer has 60 bytes and some, so the fourth has no credit.
    for number in (1, 2, 3):
        connection.ask(record(b"v" * 50), id=number)
    connection.send_batch(record(b"v" * 50), id=4)
    for number in range(10):
        connection.send(ping=pb.Ping(id=number))
        assert connection.expect("pong").id == number
    connection.send(credit=pb.ByteCredit(bytes=60))
    connection.send(ping=pb.Ping(id=10))
    connection.expect("pong")
    connection.send(credit=pb.ByteCredit(bytes=60))
    connection.results(4)


def test_results_that_are_too_large_fail_the_batch(worker: Worker) -> None:
    connection = started(worker, max_frame_bytes=3 << 20, byte_credit=8 << 20)
    large = [record(b"v" * (1 << 20), offset) for offset in range(4)]
    connection.send_batch(*large)
    while not (results := connection.expect("results")).HasField("failure"):
        assert results.ByteSize() <= 3 << 20
    assert not results.results
    assert results.failure.kind == pb.Failure.RETRY
    assert "more than 3145728 bytes" in results.failure.message
    connection.expect("credit")
    connection.ask(large[0], id=2)


def test_a_record_whose_results_are_too_large_fails_for_good(worker: Worker) -> None:
    connection = started(worker, max_frame_bytes=1000)
    (result,) = connection.ask(record(b"v" * 1000))
    assert result.failure.kind == pb.Failure.PERMANENT and not result.outputs
    assert "more than 1000 bytes" in result.failure.message
    connection.ask(record(b"v"), id=2)


def test_drain(worker: Worker) -> None:
    connection = started(worker)
    connection.send_batch(record())
    connection.send(drain=pb.Drain())
    connection.results()
    connection.expect("drained")
    connection.ask(record(), id=2)


def test_close(worker: Worker) -> None:
    connection = started(worker)
    connection.send_batch(record(), id=1)
    connection.send_batch(record(), id=2)
    connection.send(close=pb.Close())
    connection.results(1)
    connection.results(2)
    assert connection.receive() is None
    assert exit_code(worker) == 0


def test_credit_comes_after_a_close_too(worker: Worker) -> None:
    connection = started(worker, byte_credit=0)
    connection.send_batch(record())
    connection.send(close=pb.Close())
    connection.send(credit=pb.ByteCredit(bytes=100))
    connection.results()
    assert connection.receive() is None


def test_a_worker_may_end_its_direction_after_a_close(worker: Worker) -> None:
    connection = started(worker, WAIT)
    done = worker.path.with_name("done")
    connection.send_batch(record(os.fsencode(done)))
    connection.send(close=pb.Close())
    connection.end()
    done.touch()
    connection.results()
    assert exit_code(worker) == 0


def test_sigterm(worker: Worker) -> None:
    connection = started(worker, WAIT)
    done = worker.path.with_name("done")
    connection.send_batch(record(os.fsencode(done)))
    connection.send(ping=pb.Ping(id=1))
    connection.expect("pong")
    worker.program.terminate()
    done.touch()
    connection.results()
    assert connection.expect("close").error == ""
    # It reads on to the end, or the worker might lose the results, and says nothing more.
    connection.send_batch(record(), id=2)
    for number in range(100_000):
        connection.send(ping=pb.Ping(id=number))
    connection.end()
    assert connection.receive() is None
    assert exit_code(worker) == 0


def test_the_code_behind_run_runs(worker: Worker) -> None:
    connection = started(
        worker,
        """
def setup():
    yield None
    print("setup's rest", file=sys.stderr)
import sys
try:
    millrace.processor(setup=setup)(lambda record, state: None).run()
finally:
    print("the program's rest", file=sys.stderr)
""",
    )
    connection.close()
    assert exit_code(worker) == 1
    assert worker.log().index("setup's rest") < worker.log().index("the program's rest")


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (None, "the worker has closed the connection without a word"),
        ("too slow", "the worker has given up this process: too slow"),
    ],
)
def test_an_end_without_a_close(worker: Worker, end: str | None, reason: str) -> None:
    connection = started(worker)
    if end is not None:
        connection.send(close=pb.Close(error=end))
    else:
        connection.close()
    assert exit_code(worker) == 1
    assert reason in worker.log()


def test_versions_that_do_not_fit(worker: Worker) -> None:
    worker.start(ECHO)
    connection = worker.accept()
    connection.expect("hello")
    connection.send(close=pb.Close(error="this worker speaks 2 to 3, the process 1 to 1"))
    assert exit_code(worker) == 1
    assert "this worker speaks 2 to 3, the process 1 to 1" in worker.log()


HELLO = frame(pb.WorkerFrame(hello=pb.WorkerHello(version=1)))
ONE = [record()]


def batches(*ids: int) -> bytes:
    return b"".join(frame(pb.WorkerFrame(batch=pb.Batch(id=i, records=ONE))) for i in ids)


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"\0\0\0\0", "a frame has 0 bytes"),
        (b"HTTP/1.1 400 Bad Request", "a frame has 1213486160 bytes"),
        (b"\0\0\0\1\xff", "a frame is not Protobuf"),
        (b"\0\0\0\2\x78\x01", "a frame has no message that this version knows"),
        (frame(pb.WorkerFrame(ping=pb.Ping())), "a ping before the Hello"),
        (frame(pb.WorkerFrame(hello=pb.WorkerHello(version=2))), "it has chosen version 2"),
        (HELLO + HELLO, "a second Hello"),
        (HELLO + frame(pb.WorkerFrame(batch=pb.Batch(id=1))), "batch 1 has no records"),
        (HELLO + batches(1, 1), "the id 1 came twice"),
        (HELLO + batches(5, 5), "the id 5 came twice"),
    ],
)
def test_garbage(worker: Worker, garbage: bytes, reason: str) -> None:
    worker.start(ECHO)
    connection = worker.accept()
    connection.expect("hello")
    connection.send_bytes(garbage)
    assert reason in connection.expect("close").error
    assert connection.receive() is None
    assert exit_code(worker) == 1
    assert f"the worker has broken the protocol: {reason}" in worker.log()


def test_a_batch_without_credit(worker: Worker) -> None:
    connection = started(worker, WAIT)
    done = worker.path.with_name("done")
    for number in (1, 2, 3):
        connection.send_batch(record(os.fsencode(done)), id=number)
    assert "batch 3 came without credit" in connection.expect("close").error
    done.touch()
    assert exit_code(worker) == 1


def test_a_frame_that_is_cut(worker: Worker) -> None:
    connection = started(worker)
    connection.send_bytes(struct.pack(">I", 10) + b"abc")
    connection.close()
    assert exit_code(worker) == 1
    assert "the connection ended within a frame" in worker.log()


def test_fields_of_later_versions_are_ignored(worker: Worker) -> None:
    connection = started(worker)
    batch = pb.WorkerFrame(batch=pb.Batch(id=1, records=ONE)).SerializeToString() + b"\x78\x01"
    connection.send_bytes(struct.pack(">I", len(batch)) + batch)
    connection.results()


def test_many_batches(worker: Worker) -> None:
    connection = started(worker, byte_credit=1 << 40)
    for number in range(1, 501):
        value = b"%d" % number
        assert connection.ask(record(value), id=number)[0].outputs[0].value == value


def test_the_socket_may_come_later(unbound: Worker) -> None:
    program = unbound.start(ECHO)
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(0.5)
    unbound.listen()
    unbound.accept().greet()


def test_sigterm_while_there_is_no_socket(unbound: Worker) -> None:
    program = unbound.start("import sys; print('up', file=sys.stderr)\n" + ECHO)
    while "up" not in unbound.log():
        time.sleep(0.01)
    program.terminate()
    assert program.wait(PATIENCE) in (0, -15)


def test_a_socket_that_can_not_be(worker: Worker) -> None:
    program = worker.start(ECHO, MILLRACE_SOCKET="/dev/null/" + "x" * 200)
    assert program.wait(PATIENCE) == 1
    assert "connecting to the worker at /dev/null/xxx" in worker.log()


def test_a_fork_does_not_keep_the_connection(worker: Worker) -> None:
    connection = started(
        worker,
        """
import os, time
def fork(record):
    parent = os.getpid()
    if os.fork() > 0:
        os._exit(3)
    while os.getppid() == parent:
        time.sleep(0.01)
    time.sleep(10)
    os._exit(0)
millrace.run(fork)
""",
    )
    connection.send(batch={"id": 1, "records": [record(b"")]})
    sent = time.monotonic()
    assert connection.receive() is None
    assert time.monotonic() - sent < 9, "the connection ended with the fork"
