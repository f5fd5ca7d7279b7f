package dev.millrace;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * One record to write. Without more than a value it has the input record's key, headers and
 * timestamp, and goes to the manifest's output topic.
 *
 * <p>An output can't be changed: its methods return another one. It keeps the arrays that it is
 * given, so don't change them afterwards. Text is encoded as UTF-8.
 */
public final class Output implements Result {
  private static final Output SAME = new Output(null, true, null, true, List.of(), true, "", null);
  private static final Output TOMBSTONE =
      new Output(null, false, null, true, List.of(), true, "", null);

  private final byte[] value; // null is Kafka's null
  private final boolean sameValue;
  private final byte[] key; // null is Kafka's null
  private final boolean sameKey;
  private final List<Header> headers;
  private final boolean sameHeaders;
  private final String topic; // "" is the manifest's
  private final Instant timestamp; // null is the input record's

  private Output(
      byte[] value,
      boolean sameValue,
      byte[] key,
      boolean sameKey,
      List<Header> headers,
      boolean sameHeaders,
      String topic,
      Instant timestamp) {
    this.value = value;
    this.sameValue = sameValue;
    this.key = key;
    this.sameKey = sameKey;
    this.headers = headers;
    this.sameHeaders = sameHeaders;
    this.topic = topic;
    this.timestamp = timestamp;
  }

  /**
   * Makes an output with a value.
   *
   * @param value the value; null is Kafka's null, a tombstone in a compacted topic
   * @return the output
   */
  public static Output value(byte[] value) {
    return new Output(value, false, null, true, List.of(), true, "", null);
  }

  /**
   * Makes an output with a text as its value.
   *
   * @param value the value; null is Kafka's null, a tombstone in a compacted topic
   * @return the output
   */
  public static Output value(String value) {
    return value(bytes(value));
  }

  /**
   * Makes an output whose value is JSON. It needs Jackson 2 on the class path: jackson-databind.
   *
   * @param value the object to encode
   * @return the output
   */
  public static Output json(Object value) {
    return value(Json.encode(value));
  }

  /**
   * Returns an output with a null value, which deletes the key in a compacted topic.
   *
   * @return the output
   */
  public static Output tombstone() {
    return TOMBSTONE;
  }

  /**
   * Returns an output that is the input record as it is.
   *
   * @return the output
   */
  public static Output same() {
    return SAME;
  }

  /**
   * Replaces the key.
   *
   * @param key the key, null for Kafka's null
   * @return the changed output
   */
  public Output withKey(byte[] key) {
    return new Output(value, sameValue, key, false, headers, sameHeaders, topic, timestamp);
  }

  /**
   * Replaces the key.
   *
   * @param key the key, null for Kafka's null
   * @return the changed output
   */
  public Output withKey(String key) {
    return withKey(bytes(key));
  }

  /**
   * Makes the key null.
   *
   * @return the changed output
   */
  public Output withNullKey() {
    return withKey((byte[]) null);
  }

  /**
   * Adds a header behind the others.
   *
   * @param header the header
   * @return the changed output
   */
  public Output withHeader(Header header) {
    List<Header> more = new ArrayList<>(headers.size() + 1);
    more.addAll(headers);
    more.add(Objects.requireNonNull(header, "header"));
    return new Output(
        value, sameValue, key, sameKey, List.copyOf(more), sameHeaders, topic, timestamp);
  }

  /**
   * Adds a header behind the others.
   *
   * @param name the header's name
   * @param value the header's value, null for Kafka's null
   * @return the changed output
   */
  public Output withHeader(String name, String value) {
    return withHeader(Header.of(name, value));
  }

  /**
   * Replaces all headers, those of the input record too.
   *
   * @param headers the headers, in their order
   * @return the changed output
   */
  public Output withHeaders(List<Header> headers) {
    return new Output(
        value, sameValue, key, sameKey, List.copyOf(headers), false, topic, timestamp);
  }

  /**
   * Leaves out all headers, those of the input record too.
   *
   * @return the changed output
   */
  public Output withoutHeaders() {
    return withHeaders(List.of());
  }

  /**
   * Sets the topic to write to.
   *
   * @param topic the topic
   * @return the changed output
   */
  public Output withTopic(String topic) {
    Objects.requireNonNull(topic, "topic");
    return new Output(value, sameValue, key, sameKey, headers, sameHeaders, topic, timestamp);
  }

  /**
   * Sets the timestamp, which Kafka keeps in milliseconds.
   *
   * @param timestamp the timestamp
   * @return the changed output
   */
  public Output withTimestamp(Instant timestamp) {
    timestamp.toEpochMilli(); // throws here what Kafka can't keep
    return new Output(value, sameValue, key, sameKey, headers, sameHeaders, topic, timestamp);
  }

  /**
   * Returns the value.
   *
   * @return the value, null for Kafka's null and for that of the input record
   */
  public byte[] value() {
    return value;
  }

  /**
   * Reports whether the value is that of the input record.
   *
   * @return whether it is
   */
  public boolean hasSameValue() {
    return sameValue;
  }

  /**
   * Returns the key.
   *
   * @return the key, null for Kafka's null and for that of the input record
   */
  public byte[] key() {
    return key;
  }

  /**
   * Reports whether the key is that of the input record.
   *
   * @return whether it is
   */
  public boolean hasSameKey() {
    return sameKey;
  }

  /**
   * Returns the headers, without those of the input record.
   *
   * @return the headers, in their order
   */
  public List<Header> headers() {
    return headers;
  }

  /**
   * Reports whether the headers stand behind those of the input record.
   *
   * @return whether they do
   */
  public boolean hasSameHeaders() {
    return sameHeaders;
  }

  /**
   * Returns the topic.
   *
   * @return the topic, "" for the manifest's output topic
   */
  public String topic() {
    return topic;
  }

  /**
   * Returns the timestamp.
   *
   * @return the timestamp, null for that of the input record
   */
  public Instant timestamp() {
    return timestamp;
  }

  private static byte[] bytes(String text) {
    return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
  }
}
