package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.processor.v1.ProcessFrame.MessageCase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whole programs, and how their processes end. */
@Timeout(120)
final class ProcessTest {
  @TempDir private Path folder;
  private Worker worker;
  private Process program;

  @BeforeEach
  void listen() throws IOException {
    worker = new Worker().listen();
  }

  @AfterEach
  void stop() throws Exception {
    if (program != null) {
      program.destroyForcibly().waitFor();
    }
    worker.close();
  }

  private void start(String name) throws IOException {
    start(System.getProperty("java.class.path"), "dev.millrace.Programs", name);
  }

  private void start(String classPath, String... command) throws IOException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    ProcessBuilder builder =
        new ProcessBuilder(
            java, "-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classPath);
    builder.command().addAll(List.of(command));
    builder.environment().remove("MILLRACE_PROCESSES");
    builder.environment().put("MILLRACE_SOCKET", worker.socket.toString());
    program =
        builder
            .redirectError(folder.resolve("log").toFile())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
  }

  /** Starts a program and exchanges Hellos. */
  private Link started(String name) throws IOException {
    start(name);
    Link link = worker.accept();
    assertEquals(program.pid(), link.greet(Link.hello()).getPid());
    return link;
  }

  private int exitCode() throws InterruptedException {
    assertTrue(program.waitFor(60, TimeUnit.SECONDS), "the process does not end");
    return program.exitValue();
  }

  private String log() throws IOException {
    return Files.readString(folder.resolve("log"));
  }

  @Test
  void sigtermWithWorkInHand() throws Exception {
    Link link = started("work");
    link.sendBatch(1, "wait");
    link.ping(1);
    assertTrue(program.toHandle().destroy()); // SIGTERM
    program.getOutputStream().write('\n');
    program.getOutputStream().flush();
    assertEquals(1, link.results().getBatch());
    assertEquals("", link.expectAfterCredit(MessageCase.CLOSE).getClose().getError());
    link.end();
    assertNull(link.receive());
    assertEquals(0, exitCode());
    assertTrue(log().contains("run has returned") && log().contains("state closed"), log());
  }

  @Test
  void closeOfTheWorkerEndsProgramWithThreadsLeft() throws Exception {
    Link link = started("threads");
    link.ask(1, "v");
    link.sendClose("");
    assertNull(link.receive());
    assertEquals(0, exitCode());
    assertTrue(log().contains("these threads still run"), log());
    assertTrue(log().contains("of a library"), log());
  }

  @Test
  void mainThatDoesNotEnd() throws Exception {
    Link link = started("main");
    link.ask(1, "v");
    link.close();
    assertEquals(1, exitCode());
    assertTrue(log().contains("these threads still run: main"), log());
  }

  @Test
  void shutdownHookThatDoesNotEnd() throws Exception {
    Link link = started("hook");
    link.ask(1, "v");
    link.sendClose("");
    assertNull(link.receive());
    assertEquals(0, exitCode());
    assertTrue(log().contains("its shutdown hooks have not ended"), log());
  }

  @Test
  void batches() throws Exception {
    Link link = started("batches");
    assertTrue(link.ask(1, "a", "b").get(1).getOutputs(0).getSameValue());
    link.sendClose("");
    assertNull(link.receive());
    assertEquals(0, exitCode());
  }

  @Test
  void secondSigtermEndsAtOnce() throws Exception {
    Link link = started("work");
    link.sendBatch(1, "never");
    link.ping(1);
    while (program.isAlive()) {
      program.toHandle().destroy();
      program.waitFor(10, TimeUnit.MILLISECONDS);
    }
    assertEquals(1, exitCode());
  }

  @Test
  void codeThatNeverReturns() throws Exception {
    Link link = started("work");
    link.sendBatch(1, "never");
    link.sendClose("the process took longer than 30 s");
    assertEquals(1, exitCode());
    List<String> lines = log().lines().toList();
    assertEquals("state closed", lines.get(0));
    assertEquals(
        "Exception in thread \"main\" dev.millrace.MillraceException: the worker has given up this"
            + " process: the process took longer than 30 s",
        lines.get(1));
    assertEquals(2, lines.size(), log());
  }

  @Test
  void programFromItsSource() throws Exception {
    Path source = folder.resolve("Shout.java");
    Files.writeString(
        source,
        "public class Shout { public static void main(String[] args) {"
            + " dev.millrace.Millrace.run(record -> dev.millrace.Output.same()); } }");
    start("target/classes:target/lib/*", source.toString());
    Link link = worker.accept();
    link.greet(Link.hello());
    link.sendClose("the process took longer than 30 s");
    assertEquals(1, exitCode());
    // The launcher fails over an exception with few frames.
    assertTrue(log().contains("MillraceException: the worker has given up this process"), log());
    assertTrue(log().contains("at Shout.main"), log());
  }

  @Test
  void exitInUserCode() throws Exception {
    Link link = started("work");
    link.sendBatch(1, "exit");
    assertNull(link.receive(), "there is no Close, or the record would seem to be done");
    exitCode();
  }

  @Test
  void processWithoutMemoryEnds() throws Exception {
    Link link = started("work");
    link.sendBatch(1, "memory");
    assertNull(link.receive());
    assertEquals(3, exitCode());
    assertTrue(
        log().contains("the process ends, since it has failed: java.lang.OutOfMemory"), log());
    assertFalse(log().contains("state closed"));
  }

  @Test
  void environment() throws Exception {
    worker.close();
    var builder = Millrace.builder();
    var code = new Code.Each(record -> Result.none());
    var events = new Events();
    for (var wrong :
        List.of(
            java.util.Map.<String, String>of(),
            java.util.Map.of("MILLRACE_SOCKET", "/s", "MILLRACE_PROCESSES", "0"),
            java.util.Map.of("MILLRACE_SOCKET", "/dev/null/x"),
            java.util.Map.of("MILLRACE_SOCKET", "/" + "x".repeat(200)))) {
      var error =
          org.junit.jupiter.api.Assertions.assertThrows(
              MillraceException.class, () -> builder.run(code, wrong, events));
      assertTrue(
          error.getMessage().startsWith("MILLRACE_")
              || error.getMessage().startsWith("connecting to the worker at /"),
          error.getMessage());
    }
  }
}
