"""What is encoded by hand is what Protobuf encodes, and the test vectors of the protocol."""

from __future__ import annotations

import json
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from millrace import _wire
from millrace._frames import MAX_FRAME_BYTES, FrameReader, ProtocolError, frame_of
from millrace._protocol import processor_pb2 as pb

# The edges of one, two and three bytes of a length and of an index.
NUMBERS = [0, 1, 126, 127, 128, 129, 16382, 16383, 16384, 16385, 1 << 21, (1 << 32) - 1]
VECTORS = Path(__file__).parents[2] / "protocol" / "vectors.json"


@pytest.mark.parametrize("number", NUMBERS)
def test_results_are_those_of_protobuf(number: int) -> None:
    value = b"v" * min(number, 1 << 21)
    same = {"same_key": True, "same_headers": True}
    results = [
        pb.Result(index=number),
        pb.Result(index=number, outputs=[pb.Output(same_value=True, **same)]),  # type: ignore[arg-type]
        pb.Result(index=number, outputs=[pb.Output(value=value, **same)]),  # type: ignore[arg-type]
        pb.Result(index=number, outputs=[pb.Output(topic="t"), pb.Output(key=b"")]),
    ]
    parts = [
        _wire.filtered(number),
        _wire.same_record(number),
        _wire.one_value(number, value),
        _wire.any_result(results[3]),
    ]
    encoded = _wire.results(number, parts)
    assert pb.ProcessFrame.FromString(encoded).results == pb.Results(batch=number, results=results)


@pytest.mark.parametrize("vector", json.loads(VECTORS.read_text()), ids=lambda v: v["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    content = bytes.fromhex(vector["hex"])
    if vector["from"] == "worker":
        read = read_frame(content)
        wanted = json_format.ParseDict(vector["message"], pb.WorkerFrame())
        assert read == wanted
    else:
        sent = json_format.ParseDict(vector["message"], pb.ProcessFrame())
        assert frame_of(sent) == content
        assert pb.ProcessFrame.FromString(content[4:]) == sent


def read_frame(content: bytes) -> pb.WorkerFrame | None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(content)
        theirs.shutdown(socket.SHUT_WR)
        return FrameReader(ours).read()


@pytest.mark.parametrize("length", [0, MAX_FRAME_BYTES + 1, (1 << 32) - 1])
def test_a_length_is_checked_before_the_message_is_read(length: int) -> None:
    with pytest.raises(ProtocolError, match=f"a frame has {length} bytes instead of 1 to"):
        read_frame(struct.pack(">I", length))


def test_a_frame_that_is_cut() -> None:
    assert read_frame(b"") is None
    for content in (b"\0\0", struct.pack(">I", 5), struct.pack(">I", 5) + b"abc"):
        with pytest.raises(ConnectionError, match="within a frame"):
            read_frame(content)


def test_frames_of_different_sizes_follow_one_another() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = FrameReader(ours)
        theirs.setblocking(False)
        for size in (10, 100_000, 5, 150_000, 1):
            message = pb.WorkerFrame(close=pb.Close(error="x" * size))
            content = message.SerializeToString()
            theirs.sendall(struct.pack(">I", len(content)) + content)
            assert reader.read() == message
