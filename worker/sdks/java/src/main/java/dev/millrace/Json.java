package dev.millrace;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;

/** JSON by Jackson. Nothing else refers to Jackson, so a program without it can do without. */
final class Json {
  private static final ObjectMapper MAPPER = JsonMapper.builder().findAndAddModules().build();

  private Json() {}

  static <T> T decode(byte[] value, Class<T> type) throws IOException {
    return MAPPER.readValue(value, type);
  }

  static byte[] encode(Object value) {
    try {
      return MAPPER.writeValueAsBytes(value);
    } catch (JsonProcessingException error) {
      throw new IllegalArgumentException("the output can't be JSON: " + error.getMessage(), error);
    }
  }
}
