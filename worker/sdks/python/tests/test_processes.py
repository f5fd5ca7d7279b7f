"""The supervisor and its processes, with a worker that a test plays."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_worker import PATIENCE, Connection, Worker, record

from millrace import _supervisor
from millrace._protocol import processor_pb2 as pb
from millrace._watch import Watch

# What a record asks for, by its value.
ASKED = """
import ctypes, os, sys, time
@millrace.processor
def act(record):
    value = record.value
    if value == b"pid":
        return str(os.getpid())
    if value == b"die":
        os._exit(0)
    if value == b"exit":
        sys.exit(0)
    if value in (b"sleep", b"hold"):
        print("at work", file=sys.stderr, flush=True)
    if value == b"sleep":
        time.sleep(1000)
    if value == b"hold":
        # It holds the interpreter's lock.
        ctypes.PyDLL(None).sleep(1000)
act.run()
"""


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def greeted(worker: Worker, count: int = 1) -> list[Connection]:
    connections = [worker.accept() for _ in range(count)]
    for connection in connections:
        connection.greet()
    return connections


def test_each_process_has_its_own_connection(worker: Worker) -> None:
    program = worker.start(ASKED, processes=3)
    connections = greeted(worker, 3)
    pids = {connection.pid for connection in connections}
    assert len(pids) == 3 and program.pid not in pids
    for connection in connections:
        (result,) = connection.ask(record(b"pid"))
        assert result.outputs[0].value == b"%d" % connection.pid
    for connection in connections:
        connection.send(close=pb.Close())
    assert program.wait(PATIENCE) == 0
    assert all(gone(pid) for pid in pids)


def test_all_end_when_the_worker_closes_one(worker: Worker) -> None:
    program = worker.start(ASKED, processes=2)
    first, second = greeted(worker, 2)
    first.send(close=pb.Close())
    assert second.expect("close").error == ""
    second.close()
    assert program.wait(PATIENCE) == 0


@pytest.mark.parametrize(("value", "cause"), [(b"die", "exit code 0"), (b"exit", "exit code 0")])
def test_a_process_that_ends_by_itself_starts_again(
    worker: Worker, value: bytes, cause: str
) -> None:
    worker.start(ASKED, processes=2)
    first, second = greeted(worker, 2)
    first.send_batch(record(value))
    assert first.receive() is None
    (third,) = greeted(worker)
    assert third.pid not in (first.pid, second.pid)
    for connection in (second, third):
        assert not connection.ask(record())[0].HasField("failure")
    assert re.search(rf"process \d has ended by {cause}: starting it again in 0.5 s", worker.log())


def test_a_process_that_is_killed_starts_again(worker: Worker) -> None:
    worker.start(ASKED, processes=1)
    (first,) = greeted(worker)
    first.ask(record())
    os.kill(first.pid, signal.SIGKILL)
    (second,) = greeted(worker)
    assert second.pid != first.pid
    assert "process 0 has ended by SIGKILL" in worker.log()


def test_a_process_starts_again_when_the_connection_breaks(worker: Worker) -> None:
    worker.start(ASKED, processes=1)
    (first,) = greeted(worker)
    first.close()
    (second,) = greeted(worker)
    assert second.pid != first.pid
    assert "process=0: the worker has closed the connection without a word" in worker.log()


@pytest.mark.parametrize("value", [b"sleep", b"hold"])
def test_a_process_that_overruns_a_deadline_is_killed(worker: Worker, value: bytes) -> None:
    worker.start(ASKED, processes=1)
    (first,) = greeted(worker)
    first.ask(record(), timeout_ms=100)
    start = time.monotonic()
    first.send_batch(record(value), id=2, timeout_ms=500)
    assert first.receive() is None
    assert time.monotonic() - start >= 0.5 + 2
    assert f"process 0 (pid {first.pid}) has overrun the deadline" in worker.log()
    greeted(worker)


def test_a_process_without_a_connection_has_no_time_left(worker: Worker) -> None:
    worker.start(ASKED, processes=1)
    (first,) = greeted(worker)
    first.send_batch(record(b"sleep"))
    wait_for(lambda: "at work" in worker.log())
    first.close()
    greeted(worker)
    assert gone(first.pid)


def test_an_idle_process_overruns_nothing(worker: Worker) -> None:
    worker.start(ASKED, processes=1)
    (connection,) = greeted(worker)
    connection.ask(record(), timeout_ms=1)
    assert watch_of(connection.pid).deadline() == 0


@pytest.mark.parametrize(
    "end",
    ["yield; time.sleep(1000)", "yield; threading.Thread(target=time.sleep, args=(1000,)).start()"],
)
def test_a_process_that_hangs_in_its_end_is_killed(worker: Worker, end: str) -> None:
    program = worker.start(
        f"""
import threading, time
from millrace import _session
_session._ENDING_SECONDS = 0.5
def setup():
    {end}
millrace.processor(setup=setup)(lambda record, state: record).run()
""",
        processes=1,
    )
    (connection,) = greeted(worker)
    connection.ask(record())
    connection.send(close=pb.Close())
    assert program.wait(PATIENCE) == 0
    assert gone(connection.pid)
    assert "has overrun the deadline of its batch, or of its end" in worker.log()


# The supervisor and the processes with short times.
IMPATIENT = """
from millrace import _run, _session
_run._SUPERVISOR = _run._SUPERVISOR.replace("sys.exit", "_supervisor._SILENCE = 2.0; sys.exit")
_session._BEAT_SECONDS = 0.1
"""


def test_a_process_that_is_frozen_while_it_waits_is_killed(worker: Worker) -> None:
    worker.start(IMPATIENT + ASKED, processes=2)
    first, second = greeted(worker, 2)
    for connection in (first, second):
        connection.ask(record())
    watch = watch_of(first.pid)
    wait_for(lambda: watch.waits() > 0)
    os.kill(first.pid, signal.SIGSTOP)
    (third,) = greeted(worker)
    assert gone(first.pid) and third.pid not in (first.pid, second.pid)
    log = worker.log()
    assert f"(pid {first.pid}) is frozen: it waits for work, and has been silent for 2 s" in log
    assert f"(pid {second.pid}) is frozen" not in log


def test_only_a_process_that_waits_is_expected_to_say_something(worker: Worker) -> None:
    worker.start(IMPATIENT + ASKED, processes=1)
    (connection,) = greeted(worker)
    watch = watch_of(connection.pid)
    wait_for(lambda: watch.waits() > 0)
    first = watch.waits()
    wait_for(lambda: watch.waits() > first)
    connection.send_batch(record(b"hold"))
    wait_for(lambda: "at work" in worker.log())
    assert watch.waits() == 0


def test_the_time_in_which_nobody_looked_is_not_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    process = _supervisor._Process(0, [], 0)
    process._watch.wait()
    assert process._silence() == 0
    now += 3600  # the container was frozen
    assert process._silence() < 1
    for _ in range(100):
        now += 0.25
        process._silence()
    assert process._silence() > 24
    process._watch.wait()
    assert process._silence() == 0


def watch_of(pid: int) -> Watch:
    """Returns the watch of a process."""
    folder = Path(f"/proc/{pid}/fd")
    for descriptor in folder.iterdir():
        if "millrace-watch" in os.readlink(descriptor):
            return Watch(os.open(descriptor, os.O_RDWR))
    raise AssertionError("the process has no watch")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all(worker: Worker, number: signal.Signals) -> None:
    program = worker.start(ASKED, processes=2)
    connections = greeted(worker, 2)
    program.send_signal(number)
    for connection in connections:
        assert connection.expect("close").error == ""
        connection.close()
    assert program.wait(PATIENCE) == 0


def test_a_second_signal_kills(worker: Worker) -> None:
    program = worker.start(ASKED, processes=1)
    (connection,) = greeted(worker)
    connection.send_batch(record(b"sleep"))
    wait_for(lambda: "at work" in worker.log())
    program.terminate()
    wait_for(lambda: "a signal has come: ending" in worker.log())
    assert program.poll() is None
    program.terminate()
    assert program.wait(PATIENCE) == 0
    assert gone(connection.pid)


@pytest.mark.parametrize("value", [b"sleep", b"hold"])
def test_processes_die_with_their_supervisor(worker: Worker, value: bytes) -> None:
    program = worker.start(ASKED, processes=1)
    (connection,) = greeted(worker)
    connection.send_batch(record(value))
    wait_for(lambda: "at work" in worker.log())
    program.kill()
    program.wait()
    wait_for(lambda: gone(connection.pid))


def test_a_program_that_can_not_start_ends(worker: Worker) -> None:
    program = worker.start(
        """
def setup():
    raise RuntimeError("no model")
@millrace.processor(setup=setup)
def act(record, state):
    pass
act.run()
""",
        processes=2,
    )
    assert program.wait(PATIENCE) == 1
    failed = next(line for line in worker.log().splitlines() if "ERROR" in line)
    assert "RuntimeError: no model" in failed, "the traceback is in the line of the error"
    assert "none has ever connected: ending" in worker.log()


def test_a_setup_that_fails_later_is_tried_again(worker: Worker) -> None:
    worker.start(
        """
from pathlib import Path
starts = Path(__file__).with_name("starts")
def setup():
    with starts.open("a") as file:
        file.write("x")
    if starts.read_text() == "xx":
        raise RuntimeError("no model")
@millrace.processor(setup=setup)
def act(record, state):
    pass
act.run()
""",
        processes=1,
    )
    (first,) = greeted(worker)
    first.close()
    greeted(worker)
    assert "RuntimeError: no model" in worker.log()


def test_crashes_between_good_batches_make_no_wait_longer(worker: Worker) -> None:
    worker.start(ASKED, processes=1)
    for _ in range(3):
        (connection,) = greeted(worker)
        connection.ask(record())
        connection.send_batch(record(b"die"), id=2)
    greeted(worker)
    assert worker.log().count("starting it again in 0.5 s") == 3


def test_waits_grow(worker: Worker) -> None:
    worker.start(ASKED, processes=1)
    for _ in range(2):
        (connection,) = greeted(worker)
        connection.send_batch(record(b"die"))
    greeted(worker)
    assert worker.log().index("again in 0.5 s") < worker.log().index("again in 1 s")


def test_the_supervisor_is_small(worker: Worker) -> None:
    program = worker.start("import asyncio, unittest.mock, xml.dom.minidom\n" + ASKED, processes=1)
    greeted(worker)
    with open(f"/proc/{program.pid}/maps") as maps:
        assert "google" not in maps.read(), "the supervisor has Protobuf in memory"


def test_logs_in_json(worker: Worker) -> None:
    worker.start(
        """
import logging
def act(record):
    logging.getLogger("mine").warning("two\\nlines")
    try:
        1 / 0
    except ZeroDivisionError:
        logging.getLogger("mine").exception("oops")
millrace.run(act)
""",
        processes=1,
        MILLRACE_LOG_FORMAT="json",
    )
    (connection,) = greeted(worker)
    connection.ask(record())
    lines = [json.loads(line) for line in worker.log().splitlines()]
    warning = next(line for line in lines if line["msg"] == "two\nlines")
    assert (warning["level"], warning["logger"], warning["process"]) == ("WARNING", "mine", 0)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", warning["time"])
    error = next(line for line in lines if line["msg"] == "oops")
    assert error["err"].startswith("Traceback") and "ZeroDivisionError" in error["err"]


def test_a_program_keeps_its_own_logging(worker: Worker) -> None:
    worker.start(
        """
import logging
logging.basicConfig(format="mine: %(message)s", level="INFO")
millrace.run(lambda record: None)
""",
        processes=1,
    )
    greeted(worker)
    wait_for(lambda: "mine: connected to the worker of topic orders, group tests" in worker.log())


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        ({"MILLRACE_SOCKET": ""}, "Start this one by `millrace run --sidecar`"),
        ({"MILLRACE_PROCESSES": "two"}, "MILLRACE_PROCESSES is 'two'"),
        ({"MILLRACE_PROCESSES": "-1"}, "MILLRACE_PROCESSES is '-1'"),
        ({"MILLRACE_LOG_FORMAT": "xml"}, "MILLRACE_LOG_FORMAT is 'xml'"),
    ],
)
def test_bad_environments(worker: Worker, env: dict[str, str], problem: str) -> None:
    program = worker.start(ASKED, 1, **env)
    assert program.wait(PATIENCE) == 1
    assert problem in worker.log()
