package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;

/** Programs that stand outside of this package's sources: in documents and examples. */
final class Sources {
  private Sources() {}

  /**
   * A block of a document.
   *
   * @param language the word behind the backquotes
   * @param title the name of a file, "" without one
   * @param text what stands in it
   */
  record Block(String language, String title, String text) {}

  private static final Pattern BLOCK =
      Pattern.compile("(?ms)^```([a-z]+)(?: title=\"([^\"]*)\")?\\n(.*?)^```$");

  /** Returns the blocks of a document in a language. */
  static List<Block> blocks(Path document, String language) throws IOException {
    List<Block> blocks = new ArrayList<>();
    for (MatchResult match : BLOCK.matcher(Files.readString(document)).results().toList()) {
      String title = match.group(2) == null ? "" : match.group(2);
      blocks.add(new Block(match.group(1), title, match.group(3)));
    }
    blocks.removeIf(block -> !block.language().equals(language));
    return blocks;
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
