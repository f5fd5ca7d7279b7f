package dev.millrace;

import dev.millrace.processor.v1.ProcessHello;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a processor over its connections until they end. */
final class Runner {
  // When one connection is lost, how long the batches of the others may take: their records would
  // be
  // charged with the end of the process.
  private static final long LAST_ANSWERS = TimeUnit.SECONDS.toNanos(5);

  private final Path socket;
  private final Pool pool;
  private final ProcessHello hello;
  private final Events events;
  private final List<Connection> open = new ArrayList<>();

  Runner(Path socket, Pool pool, ProcessHello hello, Events events) {
    this.socket = socket;
    this.pool = pool;
    this.hello = hello;
    this.events = events;
  }

  /** Runs until the worker closes or an event asks for the end. */
  void run(int connections) throws InterruptedException {
    connect(connections);
    MillraceException failed = events.take() instanceof Event.Lost lost ? lost.reason() : null;
    long start = System.nanoTime();
    // The worker closes all connections or none.
    for (Connection connection : open) {
      long wait = failed == null ? Session.NO_LIMIT : LAST_ANSWERS - (System.nanoTime() - start);
      MillraceException reason = connection.close(wait);
      failed = failed == null ? reason : failed;
    }
    if (failed != null) {
      throw failed;
    }
  }

  private void connect(int connections) throws InterruptedException {
    for (int number = 0; number < connections; number++) {
      SocketChannel channel = Dial.connect(socket, events);
      if (channel == null) {
        return;
      }
      open.add(new Connection(channel, number, hello, pool, events));
    }
  }
}
