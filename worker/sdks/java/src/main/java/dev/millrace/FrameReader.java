package dev.millrace;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.millrace.processor.v1.WorkerFrame;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/** Reads frames from a connection. One thread uses it. */
final class FrameReader {
  /** The largest message that this library takes. */
  static final int MAX_BYTES = 64 << 20;

  private final ReadableByteChannel channel;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 17).flip();

  FrameReader(ReadableByteChannel channel) {
    this.channel = channel;
  }

  /** The worker has broken the protocol. */
  static final class ProtocolException extends IOException {
    private static final long serialVersionUID = 1;

    ProtocolException(String problem) {
      super(problem);
    }
  }

  /** Returns the next message, or null at the end of the stream. */
  WorkerFrame read() throws IOException {
    byte[] header = new byte[Frame.LENGTH_BYTES];
    if (!fill(header)) {
      return null;
    }
    int length = ByteBuffer.wrap(header).getInt();
    if (length < 1 || length > MAX_BYTES) {
      throw new ProtocolException(
          "a frame has %d bytes instead of 1 to %d"
              .formatted(Integer.toUnsignedLong(length), MAX_BYTES));
    }
    byte[] content = new byte[length];
    if (!fill(content)) {
      throw new EOFException("the connection ended within a frame");
    }
    return parse(content);
  }

  private static WorkerFrame parse(byte[] content) throws IOException {
    CodedInputStream input = CodedInputStream.newInstance(content);
    // The records refer to these bytes instead of copying them.
    input.enableAliasing(true);
    try {
      WorkerFrame frame = WorkerFrame.parseFrom(input);
      if (frame.getMessageCase() == WorkerFrame.MessageCase.MESSAGE_NOT_SET) {
        throw new ProtocolException("a frame has no message that this version knows");
      }
      return frame;
    } catch (InvalidProtocolBufferException error) {
      throw new ProtocolException("a frame is not Protobuf: " + error.getMessage());
    }
  }

  /** Fills an array. It returns false at the end of the stream, if nothing came before. */
  private boolean fill(byte[] into) throws IOException {
    int done = 0;
    while (done < into.length) {
      if (!buffer.hasRemaining()) {
        int read = channel.read(buffer.clear());
        buffer.flip();
        if (read < 0 && done == 0) {
          return false;
        }
        if (read < 0) {
          throw new EOFException("the connection ended within a frame");
        }
      }
      int some = Math.min(buffer.remaining(), into.length - done);
      buffer.get(into, done, some);
      done += some;
    }
    return true;
  }
}
