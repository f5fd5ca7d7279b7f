package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.testing.Processed;
import dev.millrace.testing.Testing;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the documents show compiles, and does what they say. docs/languages_test.go runs the
 * commands of the page.
 */
@Timeout(120)
final class DocumentsTest {
  private static final Path REPOSITORY = Path.of("../../..").toAbsolutePath().normalize();

  /** What the snippets take for granted. */
  private static final String SURROUNDINGS =
      """
      import static org.junit.jupiter.api.Assertions.assertEquals;

      import com.fasterxml.jackson.databind.ObjectMapper;
      import dev.millrace.*;
      import dev.millrace.Record;
      import dev.millrace.testing.*;
      import java.net.http.HttpClient;
      import java.net.http.HttpRequest;
      import java.net.http.HttpResponse.BodyHandlers;
      import java.time.Duration;
      import java.util.List;

      public abstract class Snippet {
        record Order(String customer, long total) {}

        interface Model extends AutoCloseable {
          static Model load(String file) {
            throw new UnsupportedOperationException();
          }
          String label(String text);
          List<String> labels(List<String> texts);
          void close();
        }

        static HttpClient client;
        static ObjectMapper mapper;
        static Model model;

        static HttpRequest request(Record record) {
          throw new UnsupportedOperationException();
        }

        public static void snippet() throws Exception {
          %s
        }
      }
      """;

  @TempDir private Path folder;

  private static List<Path> documents() {
    return List.of(REPOSITORY.resolve("docs/java.md"), Path.of("README.md"));
  }

  @Test
  void snippets() throws Exception {
    int number = 0;
    for (Path document : documents()) {
      for (String block : Sources.blocks(document, "java")) {
        number++;
        Path own = Files.createDirectory(folder.resolve(Integer.toString(number)));
        boolean whole = Sources.className(block) != null;
        Path file = own.resolve((whole ? Sources.className(block) : "Snippet") + ".java");
        Files.writeString(file, whole ? block : SURROUNDINGS.formatted(block));
        Class<?> compiled = Sources.compile(file, own);
        if (block.contains("Testing.")) {
          compiled.getMethod("snippet").invoke(null);
        }
      }
    }
    assertTrue(number >= 7, number + " snippets");
  }

  @Test
  void accessLog() throws Exception {
    Class<?> example = Sources.compile(Path.of("examples/AccessLog.java"), folder);
    Method parse = example.getMethod("parse", Record.class);
    RecordProcessor processor =
        record -> {
          try {
            return (Result) parse.invoke(null, record);
          } catch (java.lang.reflect.InvocationTargetException error) {
            throw (RuntimeException) error.getCause();
          }
        };
    String start = "192.0.2.7 - - [01/Dec/2026:08:15:30 +0000] ";
    List<Processed> results = new ArrayList<>();
    for (String line :
        List.of(
            start + "\"GET /shop?q=1 HTTP/1.1\" 200 512 \"-\" \"curl\"",
            start + "\"GET /healthz HTTP/1.1\" 200 -",
            "something else")) {
      results.add(Testing.process(processor, Record.builder().value(line).build()));
    }
    assertEquals("192.0.2.7", results.get(0).output().keyText());
    assertEquals(
        "{\"host\":\"192.0.2.7\",\"time\":\"2026-12-01T08:15:30Z\",\"method\":\"GET\","
            + "\"path\":\"/shop?q=1\",\"status\":200,\"bytes\":512}",
        results.get(0).output().text());
    assertTrue(results.get(1).filtered());
    Failure failure = assertInstanceOf(Failure.class, results.get(2).failure());
    assertEquals(Failure.Kind.PERMANENT, failure.kind());
  }
}
