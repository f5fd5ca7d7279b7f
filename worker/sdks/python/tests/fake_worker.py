"""Plays the worker's side, for tests."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

from millrace._protocol import processor_pb2 as pb

SOURCE = Path(__file__).parent.parent / "src"
# Nothing takes as long, unless it has failed.
PATIENCE = 60.0


class Connection:
    """The worker's end of a process's connection."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        self.pid = 0  # of the process, once it has greeted
        self._socket = connection

    def send(self, **message: Any) -> None:
        self.send_bytes(frame(pb.WorkerFrame(**message)))

    def send_bytes(self, content: bytes) -> None:
        self._socket.sendall(content)

    def receive(self) -> pb.ProcessFrame | None:
        """Returns the next frame, or None at the end."""
        header = self._exactly(4)
        if header is None:
            return None
        (length,) = struct.unpack(">I", header)
        content = self._exactly(length)
        assert content is not None, "the connection ended within a frame"
        return pb.ProcessFrame.FromString(content)

    def expect(self, kind: str) -> Any:
        """Returns the message of the next frame, which has to be of that kind."""
        received = self.receive()
        assert received is not None, f"the connection ended instead of a {kind}"
        assert received.WhichOneof("message") == kind, f"{received} is no {kind}"
        return getattr(received, kind)

    def greet(self, **hello: Any) -> pb.ProcessHello:
        """Exchanges Hellos, and returns the process's."""
        received = self.expect("hello")
        fields = {
            "version": 1,
            "topic": "orders",
            "group": "tests",
            "ordering": "Unordered",
            "max_frame_bytes": 1 << 20,
            "byte_credit": 1 << 20,
        }
        self.send(hello=pb.WorkerHello(**{**fields, **hello}))
        assert isinstance(received, pb.ProcessHello)
        self.pid = received.pid
        return received

    def send_batch(self, *records: pb.Record, id: int = 1, timeout_ms: int = 0) -> None:
        self.send(batch=pb.Batch(id=id, topic="orders", timeout_ms=timeout_ms, records=records))

    def results(self, batch: int = 1, count: int = 1) -> list[pb.Result]:
        """Returns as many results of a batch, in the order of the records, and takes the credit
        that comes behind them."""
        found: list[pb.Result] = []
        while len(found) < count:
            results = self.expect("results")
            assert results.batch == batch
            assert not results.HasField("failure"), results.failure
            found += results.results
        assert self.expect("credit").batches == 1
        assert sorted(result.index for result in found) == list(range(count))
        return sorted(found, key=lambda result: result.index)

    def ask(self, *records: pb.Record, id: int = 1, timeout_ms: int = 0) -> list[pb.Result]:
        """Sends a batch and returns its results."""
        self.send_batch(*records, id=id, timeout_ms=timeout_ms)
        return self.results(id, len(records))

    def end(self) -> None:
        """Ends the worker's direction of the connection."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._socket.close()

    def _exactly(self, length: int) -> bytes | None:
        content = b""
        while len(content) < length:
            try:
                part = self._socket.recv(length - len(content))
            except ConnectionResetError:  # the process has left something unread
                part = b""
            if not part:
                assert not content, "the connection ended within a frame"
                return None
            content += part
        return content


class Worker:
    """Listens, and starts programs that connect."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "worker.sock"
        self.errors = folder / "stderr"
        self._folder = folder
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.settimeout(PATIENCE)
        self._programs: list[subprocess.Popen[bytes]] = []
        self._connections: list[Connection] = []

    def listen(self) -> None:
        self._listener.bind(str(self.path))
        self._listener.listen()

    @property
    def program(self) -> subprocess.Popen[bytes]:
        """The program that was started last."""
        return self._programs[-1]

    def accept(self) -> Connection:
        accepted, _ = self._listener.accept()
        self._connections.append(Connection(accepted))
        return self._connections[-1]

    def start(self, program: str, processes: int = 0, **env: str) -> subprocess.Popen[bytes]:
        """Starts a program, of which this is the source. It is the process itself with 0
        processes, and its supervisor with more."""
        main = self._folder / "main.py"
        main.write_text("import millrace\n" + program)
        return self.start_file(main, processes, **env)

    def start_file(self, main: Path, processes: int = 0, **env: str) -> subprocess.Popen[bytes]:
        variables = {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "MILLRACE_SOCKET": str(self.path),
            "MILLRACE_PROCESSES": str(processes),
            **env,
        }
        with self.errors.open("ab") as errors:
            program = subprocess.Popen(
                [sys.executable, str(main)], env=variables, stderr=errors, start_new_session=True
            )
        self._programs.append(program)
        return program

    def log(self) -> str:
        return self.errors.read_text()

    def end(self) -> None:
        self._listener.close()
        for connection in self._connections:
            connection.close()
        for program in self._programs:
            if program.poll() is None:
                program.send_signal(signal.SIGKILL)
            program.wait()


def frame(message: pb.WorkerFrame) -> bytes:
    content = message.SerializeToString()
    return struct.pack(">I", len(content)) + content


def record(value: bytes | None = b"", offset: int = 0, **fields: Any) -> pb.Record:
    return pb.Record(value=value, offset=offset, attempt=1, **fields)
