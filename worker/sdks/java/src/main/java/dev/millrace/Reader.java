package dev.millrace;

import dev.millrace.FrameReader.ProtocolException;
import dev.millrace.processor.v1.Batch;
import dev.millrace.processor.v1.Close;
import dev.millrace.processor.v1.Pong;
import dev.millrace.processor.v1.ProcessFrame;
import dev.millrace.processor.v1.WorkerFrame;
import dev.millrace.processor.v1.WorkerFrame.MessageCase;
import dev.millrace.processor.v1.WorkerHello;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.List;

/**
 * Reads from the worker while the user's code runs: answers pings, takes credit, and makes jobs of
 * batches.
 */
final class Reader implements Runnable {
  static final int PROTOCOL_VERSION = 1;
  // A worker that does not read must not hold up the end.
  private static final long CLOSE_MILLISECONDS = 1000;

  private final SocketChannel channel;
  private final FrameReader frames;
  private final Session session;
  private final Pool pool;
  private final Events events;
  private final UsedIds used = new UsedIds();

  Reader(SocketChannel channel, Session session, Pool pool, Events events) {
    this.channel = channel;
    this.frames = new FrameReader(channel);
    this.session = session;
    this.pool = pool;
    this.events = events;
  }

  /** The worker has given this process up. */
  private static final class GivenUpException extends Exception {
    private static final long serialVersionUID = 1;

    GivenUpException(String reason) {
      super(reason);
    }
  }

  /** Reads to the end of the stream, and says how it has ended unless this side has ended it. */
  @Override
  public void run() {
    try {
      WorkerFrame frame = frames.read();
      while (frame != null) {
        take(frame);
        frame = frames.read();
      }
      if (session.isClosed()) {
        session.endReading();
      } else {
        lose("the worker has closed the connection without a word", null);
      }
    } catch (ProtocolException error) {
      lose("the worker has broken the protocol: " + error.getMessage(), error.getMessage());
    } catch (GivenUpException error) {
      lose("the worker has given up this process: " + error.getMessage(), null);
    } catch (IOException error) {
      lose("the connection to the worker broke: " + error, null);
    } finally {
      // The worker may have ended only its own direction, after a Close.
      session.writer.endCredit();
    }
  }

  private void lose(String reason, String mistake) {
    Event.Lost lost = new Event.Lost(new MillraceException(reason));
    boolean news = session.lose(lost.reason());
    session.writer.endCredit();
    try {
      if (mistake != null) {
        Close close = Close.newBuilder().setError(mistake).build();
        session.writer.sendLast(ProcessFrame.newBuilder().setClose(close));
        session.writer.finish(CLOSE_MILLISECONDS);
      }
      channel.close();
    } catch (IOException | InterruptedException error) {
      // It has ended in any case.
    }
    if (news) {
      events.add(lost);
    }
  }

  private void take(WorkerFrame frame) throws ProtocolException, GivenUpException {
    if (session.isOver()) {
      return; // what still comes is dropped
    }
    MessageCase kind = frame.getMessageCase();
    if (kind != MessageCase.HELLO && kind != MessageCase.CLOSE && session.hello() == null) {
      throw new ProtocolException("a message came before the Hello");
    }
    switch (kind) {
      case HELLO -> takeHello(frame.getHello());
      case BATCH -> takeBatch(frame.getBatch());
      case CREDIT -> session.writer.addCredit(frame.getCredit().getBytes());
      case PING -> {
        Pong pong = Pong.newBuilder().setId(frame.getPing().getId()).build();
        session.writer.send(ProcessFrame.newBuilder().setPong(pong));
      }
      case DRAIN -> session.drain();
      case CLOSE -> takeClose(frame.getClose());
      case MESSAGE_NOT_SET -> throw new AssertionError("the frame's reader refuses it");
    }
  }

  private void takeClose(Close close) throws GivenUpException {
    if (!close.getError().isEmpty()) {
      throw new GivenUpException(close.getError());
    }
    session.close();
    events.add(new Event.Closed());
  }

  private void takeHello(WorkerHello hello) throws ProtocolException {
    if (session.hello() != null) {
      throw new ProtocolException("a second Hello");
    }
    if (hello.getVersion() != PROTOCOL_VERSION) {
      throw new ProtocolException(
          "it has chosen version %d: this one speaks %d"
              .formatted(Integer.toUnsignedLong(hello.getVersion()), PROTOCOL_VERSION));
    }
    session.greet(hello);
    session.writer.addCredit(hello.getByteCredit());
  }

  private void takeBatch(Batch batch) throws ProtocolException {
    String id = Long.toUnsignedString(batch.getId());
    if (batch.getRecordsCount() == 0) {
      throw new ProtocolException("batch " + id + " has no records");
    }
    if (!used.add(batch.getId())) {
      throw new ProtocolException("the id " + id + " came twice");
    }
    switch (session.came(batch.getId())) {
      case WITHOUT_CREDIT -> throw new ProtocolException("batch " + id + " came without credit");
      case TOO_LATE -> {}
      case WELCOME -> {
        List<Record> records = Record.of(batch);
        Lanes lanes = pool.code().lanes(records, session.hello().getOrdering());
        pool.push(new Job(session, batch.getId(), records, lanes));
      }
    }
  }
}
