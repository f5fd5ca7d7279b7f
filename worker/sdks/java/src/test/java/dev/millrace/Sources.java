package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;

/** Programs that stand outside of this package's sources: in documents and examples. */
final class Sources {
  private Sources() {}

  private static final Pattern BLOCK = Pattern.compile("(?ms)^```([a-z]+)[^`\\n]*\\n(.*?)^```$");
  private static final Pattern CLASS = Pattern.compile("(?m)^public class (\\w+)");

  /** Returns the blocks of a document in a language. */
  static List<String> blocks(Path document, String language) throws IOException {
    return BLOCK
        .matcher(Files.readString(document))
        .results()
        .filter(match -> match.group(1).equals(language))
        .map(match -> match.group(2))
        .toList();
  }

  /** Returns the name of the class that a block has, null for a block that is a part of one. */
  static String className(String block) {
    Matcher match = CLASS.matcher(block);
    return match.find() ? match.group(1) : null;
  }

  /** Compiles a file into a folder, and returns its class. */
  static Class<?> compile(Path source, Path folder) throws Exception {
    String classPath = System.getProperty("java.class.path");
    int code =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "--release",
                "17",
                "-cp",
                classPath,
                "-d",
                folder.toString(),
                source.toString());
    assertEquals(0, code, () -> source + " does not compile");
    String name = source.getFileName().toString().replace(".java", "");
    // The classes are used after this call.
    @SuppressWarnings("resource")
    var loader = new URLClassLoader(new URL[] {folder.toUri().toURL()});
    return loader.loadClass(name);
  }
}
