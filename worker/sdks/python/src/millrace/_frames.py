"""Frames: a length in 4 bytes, and a message of as many bytes."""

from __future__ import annotations

import socket
import struct

from google.protobuf.message import DecodeError

from millrace._protocol import processor_pb2 as pb

#: The largest message that this package takes.
MAX_FRAME_BYTES = 64 << 20
# A buffer that is larger is not kept for the next frame.
_KEPT_BYTES = 4 << 20

_LENGTH = struct.Struct(">I")


class ProtocolError(Exception):
    """The worker has broken the protocol."""


def frame(message: bytes) -> bytes:
    """Returns the frame of an encoded message."""
    return _LENGTH.pack(len(message)) + message


def frame_of(message: pb.ProcessFrame) -> bytes:
    return frame(message.SerializeToString())


class FrameReader:
    """Reads frames from a blocking socket. One thread uses it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray(1 << 16)

    def read(self) -> pb.WorkerFrame | None:
        """Returns the next frame, or None at the end of the stream."""
        header = self._exactly(_LENGTH.size)
        if header is None:
            return None
        (length,) = _LENGTH.unpack(header)
        if not 1 <= length <= MAX_FRAME_BYTES:
            raise ProtocolError(f"a frame has {length} bytes instead of 1 to {MAX_FRAME_BYTES}")
        content = self._exactly(length)
        if content is None:
            raise ConnectionError("the connection ended within a frame")
        try:
            return pb.WorkerFrame.FromString(content)  # type: ignore[arg-type]
        except DecodeError as error:
            raise ProtocolError(f"a frame is not Protobuf: {error}") from error

    def _exactly(self, length: int) -> memoryview | None:
        """Returns the next bytes, which stay until the next call; None at the end."""
        if len(self._buffer) < length or len(self._buffer) > _KEPT_BYTES >= length:
            self._buffer = bytearray(max(length, 1 << 16))
        content = memoryview(self._buffer)[:length]
        done = 0
        while done < length:
            # To wait for all bytes takes the interpreter's lock once, and not for each part.
            read = self._connection.recv_into(content[done:], 0, socket.MSG_WAITALL)
            if read == 0:
                if done == 0:
                    return None
                raise ConnectionError("the connection ended within a frame")
            done += read
        return content
