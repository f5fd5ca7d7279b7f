package dev.millrace.testing;

import dev.millrace.Header;
import dev.millrace.Output;
import dev.millrace.Record;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** A record that the worker would write. */
public final class Written {
  private final byte[] value;
  private final byte[] key;
  private final List<Header> headers;
  private final String topic;
  private final Instant timestamp;

  private Written(Output output, Record record) {
    value = output.hasSameValue() ? record.value() : output.value();
    key = output.hasSameKey() ? record.key() : output.key();
    List<Header> all = new ArrayList<>();
    if (output.hasSameHeaders()) {
      all.addAll(record.headers());
    }
    all.addAll(output.headers());
    headers = List.copyOf(all);
    topic = output.topic();
    timestamp = output.timestamp() != null ? output.timestamp() : record.timestamp();
  }

  static Written of(Output output, Record record) {
    return new Written(output, record);
  }

  /**
   * Returns the value.
   *
   * @return the value, null for Kafka's null
   */
  public byte[] value() {
    return value == null ? null : value.clone();
  }

  /**
   * Returns the value as text.
   *
   * @return the value, null for Kafka's null
   */
  public String text() {
    return value == null ? null : new String(value, StandardCharsets.UTF_8);
  }

  /**
   * Returns the key.
   *
   * @return the key, null for Kafka's null
   */
  public byte[] key() {
    return key == null ? null : key.clone();
  }

  /**
   * Returns the key as text.
   *
   * @return the key, null for Kafka's null
   */
  public String keyText() {
    return key == null ? null : new String(key, StandardCharsets.UTF_8);
  }

  /**
   * Returns the headers, in their order.
   *
   * @return the headers
   */
  public List<Header> headers() {
    return headers;
  }

  /**
   * Returns the topic.
   *
   * @return the topic, "" for the output topic of the manifest
   */
  public String topic() {
    return topic;
  }

  /**
   * Returns the timestamp.
   *
   * @return the timestamp, null if the record has none
   */
  public Instant timestamp() {
    return timestamp;
  }
}
