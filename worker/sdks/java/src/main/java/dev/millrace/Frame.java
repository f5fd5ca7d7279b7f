package dev.millrace;

import com.google.protobuf.CodedOutputStream;
import dev.millrace.processor.v1.ProcessFrame;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;

/**
 * A frame to send: a length in 4 bytes, and a message of as many bytes.
 *
 * @param bytes the frame, between position and limit
 */
record Frame(ByteBuffer bytes) {
  static final int LENGTH_BYTES = 4;

  /** Returns the frame of a message. */
  static Frame of(ProcessFrame message) {
    int size = message.getSerializedSize();
    byte[] bytes = new byte[LENGTH_BYTES + size];
    ByteBuffer.wrap(bytes).putInt(size);
    try {
      message.writeTo(CodedOutputStream.newInstance(bytes, LENGTH_BYTES, size));
    } catch (IOException error) {
      throw new UncheckedIOException(error); // the size is right
    }
    return new Frame(ByteBuffer.wrap(bytes));
  }

  /** Returns how many bytes the message has. */
  int size() {
    return bytes.remaining() - LENGTH_BYTES;
  }
}
