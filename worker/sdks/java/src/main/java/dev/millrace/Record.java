package dev.millrace;

import com.google.protobuf.ByteString;
import dev.millrace.processor.v1.Batch;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A record of Kafka. Null is Kafka's null, and never the same as empty.
 *
 * <p>A record can't be changed: the arrays that it returns are copies. It keeps its whole batch in
 * memory, so copy what you keep for long.
 */
public final class Record {
  private final dev.millrace.processor.v1.Record message;
  private final String topic;
  private final Instant deadline; // null without one

  Record(dev.millrace.processor.v1.Record message, String topic, Instant deadline) {
    this.message = message;
    this.topic = topic;
    this.deadline = deadline;
  }

  /** Returns the records of a batch that has just come. */
  static List<Record> of(Batch batch) {
    int timeout = batch.getTimeoutMs();
    Instant deadline =
        timeout == 0 ? null : Instant.now().plusMillis(Integer.toUnsignedLong(timeout));
    List<Record> records = new ArrayList<>(batch.getRecordsCount());
    for (var message : batch.getRecordsList()) {
      String own = message.getTopic();
      records.add(new Record(message, own.isEmpty() ? batch.getTopic() : own, deadline));
    }
    return records;
  }

  /**
   * Makes a record, for a test.
   *
   * @return a builder with a null key, a null value and offset 0
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns the topic that the record was read from.
   *
   * @return the topic
   */
  public String topic() {
    return topic;
  }

  /**
   * Returns the partition that the record was read from.
   *
   * @return the partition
   */
  public int partition() {
    return message.getPartition();
  }

  /**
   * Returns the record's place in its partition.
   *
   * @return the offset
   */
  public long offset() {
    return message.getOffset();
  }

  /**
   * Returns the number of this attempt, from 1.
   *
   * @return the attempt
   */
  public int attempt() {
    return message.getAttempt();
  }

  /**
   * Returns the record's timestamp, in whole milliseconds.
   *
   * @return the timestamp, null if the record has none
   */
  public Instant timestamp() {
    return message.hasTimestampMs() ? Instant.ofEpochMilli(message.getTimestampMs()) : null;
  }

  /**
   * Returns when the worker gives this attempt up. The record shares the time with its batch.
   *
   * @return the time, null if the worker waits for ever
   */
  public Instant deadline() {
    return deadline;
  }

  /**
   * Returns a copy of the key.
   *
   * @return the key, null for Kafka's null
   */
  public byte[] key() {
    return message.hasKey() ? message.getKey().toByteArray() : null;
  }

  /**
   * Returns the key as text.
   *
   * @return the key, null for Kafka's null
   * @throws Failure for good, if the key is not UTF-8
   */
  public String keyText() {
    return message.hasKey() ? decoded("key", message.getKey()) : null;
  }

  /**
   * Returns a copy of the value.
   *
   * @return the value, null for Kafka's null
   */
  public byte[] value() {
    return message.hasValue() ? message.getValue().toByteArray() : null;
  }

  /**
   * Returns the value as text.
   *
   * @return the value
   * @throws Failure for good, if the value is null or not UTF-8
   */
  public String text() {
    return decoded("value", present("text"));
  }

  /**
   * Decodes the value as JSON, with Jackson's default settings and the modules of Jackson on the
   * class path. It needs Jackson 2: jackson-databind. {@link #decode} takes a mapper of yours.
   *
   * @param type the class of the object
   * @param <T> the type of the object
   * @return the object; null for the JSON null
   * @throws Failure for good, if the value is null or not the JSON of such an object
   */
  public <T> T json(Class<T> type) {
    present("JSON");
    return decode(value -> Json.decode(value, type));
  }

  /**
   * Decodes the value with a function, such as {@code bytes -> mapper.readValue(bytes,
   * Order.class)}.
   *
   * @param decoder the function, which is not called for a null value
   * @param <T> the type of the object
   * @return what the function returns
   * @throws Failure for good, if the value is null or the function throws an exception
   */
  public <T> T decode(Decoder<T> decoder) {
    byte[] value = present("a value to decode").toByteArray();
    try {
      return decoder.decode(value);
    } catch (Failure failure) {
      throw failure;
    } catch (Exception error) {
      throw malformed("the value can't be decoded: " + FailureMessage.line(error), error);
    }
  }

  /**
   * Makes an object of a value's bytes.
   *
   * @param <T> the type of the object
   */
  @FunctionalInterface
  public interface Decoder<T> {
    /**
     * Decodes a value.
     *
     * @param value the value, which the function may change
     * @return the object
     * @throws Exception if the value is not of the format
     */
    T decode(byte[] value) throws Exception;
  }

  /**
   * Returns the headers in their order. Names may repeat.
   *
   * @return the headers
   */
  public List<Header> headers() {
    return message.getHeadersList().stream().map(Record::header).toList();
  }

  /**
   * Returns the last header of a name.
   *
   * @param name the name
   * @return the header, null if there is none
   */
  public Header lastHeader(String name) {
    ByteString wanted = ByteString.copyFromUtf8(name);
    for (int i = message.getHeadersCount() - 1; i >= 0; i--) {
      if (message.getHeaders(i).getName().equals(wanted)) {
        return header(message.getHeaders(i));
      }
    }
    return null;
  }

  private static Header header(dev.millrace.processor.v1.Header header) {
    return new Header(header.getName(), header.hasValue() ? header.getValue() : null);
  }

  /** Returns the key without a copy, null for Kafka's null. */
  ByteString keyString() {
    return message.hasKey() ? message.getKey() : null;
  }

  private ByteString present(String wanted) {
    if (!message.hasValue()) {
      throw malformed("the value is null, not " + wanted, null);
    }
    return message.getValue();
  }

  private String decoded(String part, ByteString bytes) {
    if (!bytes.isValidUtf8()) {
      throw malformed("the " + part + " is not UTF-8", null);
    }
    return bytes.toStringUtf8();
  }

  private Failure malformed(String problem, Throwable cause) {
    return Failure.permanent(place() + ": " + problem, cause);
  }

  private String place() {
    return "topic " + topic() + ", partition " + partition() + ", offset " + offset();
  }

  @Override
  public String toString() {
    return "Record[" + place() + "]";
  }

  /** Makes a record, for a test. */
  public static final class Builder {
    private final dev.millrace.processor.v1.Record.Builder message =
        dev.millrace.processor.v1.Record.newBuilder().setAttempt(1);
    private Instant deadline;

    private Builder() {}

    /**
     * Sets the value.
     *
     * @param value the value, null for Kafka's null
     * @return this builder
     */
    public Builder value(byte[] value) {
      message.clearValue();
      if (value != null) {
        message.setValue(ByteString.copyFrom(value));
      }
      return this;
    }

    /**
     * Sets the value to a text.
     *
     * @param value the value, null for Kafka's null
     * @return this builder
     */
    public Builder value(String value) {
      return value(value == null ? null : value.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Sets the key.
     *
     * @param key the key, null for Kafka's null
     * @return this builder
     */
    public Builder key(byte[] key) {
      message.clearKey();
      if (key != null) {
        message.setKey(ByteString.copyFrom(key));
      }
      return this;
    }

    /**
     * Sets the key to a text.
     *
     * @param key the key, null for Kafka's null
     * @return this builder
     */
    public Builder key(String key) {
      return key(key == null ? null : key.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Adds a header behind the others.
     *
     * @param header the header
     * @return this builder
     */
    public Builder header(Header header) {
      var added = dev.millrace.processor.v1.Header.newBuilder().setName(header.nameString());
      if (header.valueString() != null) {
        added.setValue(header.valueString());
      }
      message.addHeaders(added);
      return this;
    }

    /**
     * Adds a header behind the others.
     *
     * @param name the header's name
     * @param value the header's value, null for Kafka's null
     * @return this builder
     */
    public Builder header(String name, String value) {
      return header(Header.of(name, value));
    }

    /**
     * Sets where the record was read from.
     *
     * @param topic the topic
     * @param partition the partition
     * @param offset the offset
     * @return this builder
     */
    public Builder at(String topic, int partition, long offset) {
      message.setTopic(Objects.requireNonNull(topic, "topic"));
      message.setPartition(partition).setOffset(offset);
      return this;
    }

    /**
     * Sets the timestamp.
     *
     * @param timestamp the timestamp, null for none
     * @return this builder
     */
    public Builder timestamp(Instant timestamp) {
      message.clearTimestampMs();
      if (timestamp != null) {
        message.setTimestampMs(timestamp.toEpochMilli());
      }
      return this;
    }

    /**
     * Sets the number of the attempt, which is 1 otherwise.
     *
     * @param attempt the number, from 1
     * @return this builder
     */
    public Builder attempt(int attempt) {
      message.setAttempt(attempt);
      return this;
    }

    /**
     * Sets when the worker gives the attempt up.
     *
     * @param deadline the time, null for never
     * @return this builder
     */
    public Builder deadline(Instant deadline) {
      this.deadline = deadline;
      return this;
    }

    /**
     * Makes the record.
     *
     * @return the record
     */
    public Record build() {
      return new Record(message.build(), message.getTopic(), deadline);
    }
  }
}
