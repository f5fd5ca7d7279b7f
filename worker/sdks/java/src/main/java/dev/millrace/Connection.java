package dev.millrace;

import dev.millrace.processor.v1.Close;
import dev.millrace.processor.v1.ProcessFrame;
import dev.millrace.processor.v1.ProcessHello;
import java.io.IOException;
import java.nio.channels.SocketChannel;

/** A connection to the worker, with the threads that read and write. */
final class Connection {
  // From this side's Close to the end of the stream.
  private static final long CLOSING_MILLISECONDS = 10_000;

  private final SocketChannel channel;
  private final Session session;
  private final Thread reader;

  /** Greets the worker over a channel that is open. */
  Connection(SocketChannel channel, int number, ProcessHello hello, Pool pool, Events events) {
    this.channel = channel;
    FrameWriter writer = new FrameWriter(channel, "millrace-writer-" + number);
    writer.send(ProcessFrame.newBuilder().setHello(hello));
    session = new Session(writer, hello.getBatchCredit());
    reader = Daemon.start("millrace-reader-" + number, new Reader(channel, session, pool, events));
  }

  /**
   * Answers all batches and ends the connection in good order. If they are not answered within so
   * many nanoseconds, it ends the connection without a Close. It returns why the connection has not
   * ended in good order, null if it has.
   */
  MillraceException close(long nanoseconds) throws InterruptedException {
    MillraceException failed = session.finishBatches(nanoseconds);
    if (failed == null) {
      if (session.isClosed()) {
        session.writer.finish(CLOSING_MILLISECONDS);
      } else {
        // What still comes is read and dropped: the worker might lose results that it has not read
        // yet if the socket were closed before.
        ProcessFrame.Builder last = ProcessFrame.newBuilder().setClose(Close.getDefaultInstance());
        session.writer.sendLast(last);
        reader.join(CLOSING_MILLISECONDS);
      }
    }
    try {
      channel.close();
    } catch (IOException error) {
      // It has ended in any case.
    }
    return failed;
  }
}
