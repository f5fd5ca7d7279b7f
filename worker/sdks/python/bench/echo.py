"""Measures a process of this SDK over a socket, with a worker that does nothing else.

    PYTHONPATH=src python bench/echo.py [filter|batch|echo|pass|async]...

It prints the records that one process handles in a second of its CPU time and of the clock:
100 bytes each, in batches of 1,000.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import millrace
from millrace._protocol import processor_pb2 as pb

RECORDS = 1000
SECONDS = 3.0


@millrace.batch_processor
def filter_batch(records: list[millrace.Record]) -> list[None]:
    return [None] * len(records)


@millrace.batch_processor
def echo_batch(records: list[millrace.Record]) -> list[bytes | None]:
    return [record.value for record in records]


@millrace.processor
def echo_each(record: millrace.Record) -> bytes | None:
    return record.value


@millrace.processor
def pass_on(record: millrace.Record) -> millrace.Record:
    return record


@millrace.processor
async def echo_async(record: millrace.Record) -> bytes | None:
    return record.value


PROCESSORS: dict[str, millrace.Processor[..., Any]] = {
    "filter": filter_batch,
    "batch": echo_batch,
    "echo": echo_each,
    "pass": pass_on,
    "async": echo_async,
}


def measure(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = str(Path(folder, "socket"))
        listener.bind(path)
        listener.listen()
        # In the process itself, whose CPU time then has no supervisor.
        env = {**os.environ, "MILLRACE_SOCKET": path, "MILLRACE_PROCESSES": "0"}
        program = subprocess.Popen([sys.executable, __file__, "run", name], env=env)
        connection, _ = listener.accept()
        with connection:
            before = cpu_seconds(program.pid)
            count, seconds = drive(connection)
            cpu = cpu_seconds(program.pid) - before
            connection.sendall(frame(pb.WorkerFrame(close=pb.Close())))
        program.wait()
    print(f"{name:8} {count / seconds:12,.0f} records/s {count / cpu:12,.0f} records/s of CPU")


def cpu_seconds(process: int) -> float:
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def drive(connection: socket.socket) -> tuple[int, float]:
    """Keeps two batches in the process's hands. Returns the records and the seconds."""
    replies = connection.makefile("rb", 1 << 20)
    receive(replies)
    hello = pb.WorkerHello(version=1, max_frame_bytes=64 << 20, byte_credit=1 << 62)
    hello.ordering = "Unordered"
    connection.sendall(frame(pb.WorkerFrame(hello=hello)))
    records = [pb.Record(value=b"v" * 100, key=b"key", offset=i, attempt=1) for i in range(RECORDS)]
    batch = pb.Batch(topic="bench", records=records)
    start, sent, done = time.monotonic(), 0, 0
    while time.monotonic() - start < SECONDS or done < sent:
        while sent - done < 2 and time.monotonic() - start < SECONDS:
            sent += 1
            batch.id = sent
            connection.sendall(frame(pb.WorkerFrame(batch=batch)))
        done += receive(replies).HasField("credit")
    return done * RECORDS, time.monotonic() - start


def frame(message: pb.WorkerFrame) -> bytes:
    content = message.SerializeToString()
    return struct.pack(">I", len(content)) + content


def receive(replies: object) -> pb.ProcessFrame:
    (length,) = struct.unpack(">I", replies.read(4))  # type: ignore[attr-defined]
    return pb.ProcessFrame.FromString(replies.read(length))  # type: ignore[attr-defined]


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        PROCESSORS[sys.argv[2]].run()
    else:
        for chosen in sys.argv[1:] or PROCESSORS:
            measure(chosen)
