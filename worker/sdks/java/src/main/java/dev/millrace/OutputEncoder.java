package dev.millrace;

import static com.google.protobuf.CodedOutputStream.computeInt64Size;
import static com.google.protobuf.CodedOutputStream.computeUInt64SizeNoTag;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import dev.millrace.processor.v1.Output;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Encodes outputs as the protocol's messages. */
final class OutputEncoder {
  // The tags of all fields have one byte, and so has a bool.
  private static final int BOOL_BYTES = 2;

  private OutputEncoder() {}

  /** Returns how many bytes a message has, without its tag and length. */
  static long size(dev.millrace.Output output) {
    long size = size(output.value()) + size(output.key());
    size += output.hasSameKey() ? BOOL_BYTES : 0;
    size += output.hasSameValue() ? BOOL_BYTES : 0;
    size += output.hasSameHeaders() ? BOOL_BYTES : 0;
    for (Header header : output.headers()) {
      size += field(size(header));
    }
    if (!output.topic().isEmpty()) {
      size += size(output.topic().getBytes(StandardCharsets.UTF_8));
    }
    if (output.timestamp() != null) {
      size += computeInt64Size(Output.TIMESTAMP_MS_FIELD_NUMBER, output.timestamp().toEpochMilli());
    }
    return size;
  }

  /** Writes a message, without its tag and length. */
  static void write(dev.millrace.Output output, CodedOutputStream to) throws IOException {
    if (output.value() != null) {
      to.writeByteArray(Output.VALUE_FIELD_NUMBER, output.value());
    }
    if (output.key() != null) {
      to.writeByteArray(Output.KEY_FIELD_NUMBER, output.key());
    }
    for (Header header : output.headers()) {
      to.writeTag(Output.HEADERS_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
      to.writeUInt64NoTag(size(header));
      write(header, to);
    }
    if (!output.topic().isEmpty()) {
      byte[] topic = output.topic().getBytes(StandardCharsets.UTF_8);
      to.writeByteArray(Output.TOPIC_FIELD_NUMBER, topic);
    }
    if (output.timestamp() != null) {
      to.writeInt64(Output.TIMESTAMP_MS_FIELD_NUMBER, output.timestamp().toEpochMilli());
    }
    writeTrue(Output.SAME_KEY_FIELD_NUMBER, output.hasSameKey(), to);
    writeTrue(Output.SAME_VALUE_FIELD_NUMBER, output.hasSameValue(), to);
    writeTrue(Output.SAME_HEADERS_FIELD_NUMBER, output.hasSameHeaders(), to);
  }

  private static void writeTrue(int field, boolean value, CodedOutputStream to) throws IOException {
    if (value) {
      to.writeBool(field, true);
    }
  }

  private static void write(Header header, CodedOutputStream to) throws IOException {
    to.writeBytes(dev.millrace.processor.v1.Header.NAME_FIELD_NUMBER, header.nameString());
    if (header.valueString() != null) {
      to.writeBytes(dev.millrace.processor.v1.Header.VALUE_FIELD_NUMBER, header.valueString());
    }
  }

  private static long size(Header header) {
    ByteString value = header.valueString();
    return field(header.nameString().size()) + (value == null ? 0 : field(value.size()));
  }

  private static long size(byte[] bytes) {
    return bytes == null ? 0 : field(bytes.length);
  }

  /** Returns how many bytes a field has, with its tag and length, whose content has so many. */
  static long field(long size) {
    return 1 + computeUInt64SizeNoTag(size) + size;
  }
}
