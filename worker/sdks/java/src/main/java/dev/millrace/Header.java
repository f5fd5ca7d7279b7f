package dev.millrace;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** A header of a record. Kafka does not check that its name is UTF-8, but mostly it is. */
public final class Header {
  private final ByteString name;
  private final ByteString value; // null is Kafka's null

  Header(ByteString name, ByteString value) {
    this.name = name;
    this.value = value;
  }

  /**
   * Makes a header.
   *
   * @param name the name
   * @param value the value, null for Kafka's null
   * @return the header
   */
  public static Header of(String name, byte[] value) {
    return of(name.getBytes(StandardCharsets.UTF_8), value);
  }

  /**
   * Makes a header whose value is text.
   *
   * @param name the name
   * @param value the value, null for Kafka's null
   * @return the header
   */
  public static Header of(String name, String value) {
    return new Header(
        ByteString.copyFromUtf8(name), value == null ? null : ByteString.copyFromUtf8(value));
  }

  /**
   * Makes a header with a name that may not be UTF-8.
   *
   * @param name the name
   * @param value the value, null for Kafka's null
   * @return the header
   */
  public static Header of(byte[] name, byte[] value) {
    return new Header(ByteString.copyFrom(name), value == null ? null : ByteString.copyFrom(value));
  }

  /**
   * Returns the name. Bytes that are not UTF-8 are replaced.
   *
   * @return the name
   */
  public String name() {
    return name.toStringUtf8();
  }

  /**
   * Returns a copy of the name's bytes.
   *
   * @return the name
   */
  public byte[] nameBytes() {
    return name.toByteArray();
  }

  /**
   * Returns a copy of the value.
   *
   * @return the value, null for Kafka's null
   */
  public byte[] value() {
    return value == null ? null : value.toByteArray();
  }

  /**
   * Returns the value as text. Bytes that are not UTF-8 are replaced.
   *
   * @return the value, null for Kafka's null
   */
  public String text() {
    return value == null ? null : value.toStringUtf8();
  }

  ByteString nameString() {
    return name;
  }

  ByteString valueString() {
    return value;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Header header
        && name.equals(header.name)
        && Objects.equals(value, header.value);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, value);
  }

  @Override
  public String toString() {
    return name() + "=" + text();
  }
}
