package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.processor.v1.WorkerHello;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Plays the worker's side for a processor in this process. */
final class Worker implements AutoCloseable {
  final Events events = new Events();
  final Path socket;
  private final Path folder;
  private final ServerSocketChannel listener;
  private CompletableFuture<Void> run;

  Worker() throws IOException {
    folder = Files.createTempDirectory("millrace");
    socket = folder.resolve("socket");
    listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
  }

  Worker listen() throws IOException {
    listener.bind(UnixDomainSocketAddress.of(socket));
    return this;
  }

  /** Listens, runs a processor on two threads, and exchanges Hellos. */
  Link start(RecordProcessor processor, WorkerHello.Builder hello) throws IOException {
    listen();
    run(Millrace.builder().threads(2), new Code.Each(processor), 1);
    Link link = accept();
    link.greet(hello);
    return link;
  }

  Link start(RecordProcessor processor) throws IOException {
    return start(processor, Link.hello());
  }

  void run(Millrace.Builder builder, Code code, int connections) {
    var environment =
        Map.of(
            "MILLRACE_SOCKET", socket.toString(),
            "MILLRACE_PROCESSES", Integer.toString(connections));
    run = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                builder.run(code, environment, events);
                run.complete(null);
              } catch (Throwable error) {
                run.completeExceptionally(error);
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  Link accept() throws IOException {
    return new Link(listener.accept());
  }

  /** Waits until the run has returned. */
  void ended() {
    assertNull(run.join());
  }

  /** Waits until the run has thrown, and returns the message. */
  String failed() {
    try {
      run.join();
    } catch (CompletionException error) {
      return assertInstanceOf(MillraceException.class, error.getCause()).getMessage();
    }
    throw new AssertionError("the run has returned");
  }

  void failed(String reason) {
    String message = failed();
    assertTrue(message.contains(reason), message);
  }

  @Override
  public void close() throws IOException {
    listener.close();
    Files.deleteIfExists(socket);
    Files.deleteIfExists(folder);
  }
}
