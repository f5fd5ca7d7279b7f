package dev.millrace;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The test program of the protocol's specification, which {@code millrace conformance} drives. */
final class Conformance {
  private Conformance() {}

  public static void main(String[] arguments) {
    Millrace.Builder builder = Millrace.builder();
    if (Arrays.asList(arguments).contains("virtual")) {
      builder.virtualThreads();
    }
    builder.run(Conformance::act);
  }

  /** Does what the value says, up to the first space. */
  private static Result act(Record record) throws Exception {
    byte[] value = record.value();
    String[] parts =
        new String(value == null ? new byte[0] : value, StandardCharsets.UTF_8).split(" ", 2);
    String rest = parts.length > 1 ? parts[1] : "";
    return switch (parts[0]) {
      case "filter" -> Result.none();
      case "describe" -> Output.json(describe(record));
      case "outputs" -> outputs(Integer.parseInt(rest));
      case "tombstone" -> Output.tombstone();
      case "empty" -> Output.value("").withKey("");
      case "topic" -> Output.value(value).withTopic(rest);
      case "large" -> Output.value("x".repeat(Integer.parseInt(rest)));
      case "sleep" -> {
        Thread.sleep(Long.parseLong(rest));
        yield Output.same();
      }
      case "fail" -> throw new IllegalStateException(rest);
      case "permanent" -> throw Failure.permanent(rest);
      case "drop" -> throw Failure.drop(rest);
      case "retry-after" ->
          throw Failure.retryAfter(Duration.ofMillis(Long.parseLong(rest)), "later");
      case "dead-letter" -> throw Failure.deadLetter(rest, "elsewhere");
      case "exit" -> {
        System.exit(3);
        yield Result.none();
      }
      default -> Output.same();
    };
  }

  private static Result outputs(int count) {
    List<Output> outputs = new ArrayList<>();
    for (int number = 0; number < count; number++) {
      outputs.add(Output.value(Integer.toString(number)));
    }
    return Result.of(outputs);
  }

  private static Map<String, Object> describe(Record record) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("topic", record.topic());
    fields.put("partition", record.partition());
    fields.put("offset", record.offset());
    fields.put("timestamp", record.timestamp() == null ? null : record.timestamp().toEpochMilli());
    fields.put("attempt", record.attempt());
    fields.put("key", hex(record.key()));
    fields.put("value", hex(record.value()));
    List<List<String>> headers = new ArrayList<>();
    for (Header header : record.headers()) {
      headers.add(Arrays.asList(hex(header.nameBytes()), hex(header.value())));
    }
    fields.put("headers", headers);
    return fields;
  }

  private static String hex(byte[] bytes) {
    return bytes == null ? null : HexFormat.of().formatHex(bytes);
  }
}
