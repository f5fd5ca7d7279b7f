package dev.millrace;

import dev.millrace.processor.v1.ProcessFrame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Sends frames in the order of the calls, Results only as far as there is credit for them.
 *
 * <p>A thread of its own writes to the socket. So the reading thread goes on while the worker does
 * not read, and user code that is interrupted can't close the channel, as an interrupted write
 * does. The credit bounds what waits here. After the connection has ended, frames go nowhere: the
 * reading thread finds out why it has ended.
 */
final class FrameWriter {
  private static final Frame END = new Frame(ByteBuffer.allocate(0));
  // Frames are joined to one write up to this size.
  private static final int WRITE_BYTES = 1 << 17;

  private final SocketChannel channel;
  private final BlockingQueue<Frame> queue = new LinkedBlockingQueue<>();
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private long credit; // guarded by lock
  private boolean creditEnded; // guarded by lock
  private boolean closed; // guarded by lock: the queue's last frame is in it

  FrameWriter(SocketChannel channel, String name) {
    this.channel = channel;
    thread = Daemon.start(name, this::write);
  }

  /** Sends a message other than Results. */
  void send(ProcessFrame.Builder message) {
    Frame frame = Frame.of(message.build());
    lock.lock();
    try {
      if (!closed) {
        queue.add(frame);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Sends a message behind which nothing is sent any more. */
  void sendLast(ProcessFrame.Builder message) {
    lock.lock();
    try {
      send(message);
      close();
    } finally {
      lock.unlock();
    }
  }

  /** Sends a frame with Results, as soon as there is credit for it. */
  void sendResults(Frame frame) {
    lock.lock();
    try {
      while (credit < frame.size() && !creditEnded) {
        changed.awaitUninterruptibly(); // user code may have interrupted its thread
      }
      if (credit >= frame.size() && !closed) {
        credit -= frame.size();
        queue.add(frame);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Allows so many bytes of Results more, which are unsigned. */
  void addCredit(long bytes) {
    lock.lock();
    try {
      long sum = credit + bytes;
      credit = bytes < 0 || sum < 0 ? Long.MAX_VALUE : sum;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Says that no more credit comes. */
  void endCredit() {
    lock.lock();
    try {
      creditEnded = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until all frames are written and this direction of the connection has ended, or for so
   * many milliseconds.
   */
  void finish(long milliseconds) throws InterruptedException {
    close();
    thread.join(milliseconds);
  }

  private void close() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        queue.add(END);
      }
    } finally {
      lock.unlock();
    }
  }

  private void write() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(WRITE_BYTES);
    try {
      Frame frame = queue.take();
      while (frame != END) {
        append(frame.bytes(), buffer);
        frame = queue.poll();
        if (frame == null) {
          flush(buffer);
          frame = queue.take();
        }
      }
      flush(buffer);
      channel.shutdownOutput();
    } catch (IOException | InterruptedException ended) {
      // The reading thread says why.
    } finally {
      endCredit();
    }
  }

  private void append(ByteBuffer frame, ByteBuffer buffer) throws IOException {
    while (frame.hasRemaining()) {
      int some = Math.min(frame.remaining(), buffer.remaining());
      buffer.put(buffer.position(), frame, frame.position(), some);
      buffer.position(buffer.position() + some);
      frame.position(frame.position() + some);
      if (!buffer.hasRemaining()) {
        flush(buffer);
      }
    }
  }

  private void flush(ByteBuffer buffer) throws IOException {
    buffer.flip();
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
    buffer.clear();
  }
}
