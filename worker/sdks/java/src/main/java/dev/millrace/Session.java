package dev.millrace;

import dev.millrace.processor.v1.BatchCredit;
import dev.millrace.processor.v1.Drained;
import dev.millrace.processor.v1.ProcessFrame;
import dev.millrace.processor.v1.WorkerHello;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** What the threads of a connection share: the batches that the process holds, and the writer. */
final class Session {
  // No array has more bytes, whatever the worker takes.
  private static final long MOST_BYTES = 1 << 30;

  /** No end of a wait. */
  static final long NO_LIMIT = TimeUnit.DAYS.toNanos(36_500);

  final FrameWriter writer;

  /**
   * How long batches may take when the worker has closed the connection after its Close. It may
   * have ended its direction only, or given the batches up.
   */
  private final long unreadWait;

  private volatile WorkerHello hello; // null before it has come
  private volatile boolean closed;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // All below are guarded by lock.
  /** The batches that are not answered: how many came before each of them, by their ids. */
  private final Map<Long, Long> batches = new LinkedHashMap<>();

  /** How many batches had come before each Drain that is not answered. */
  private final Deque<Long> drains = new ArrayDeque<>();

  private long came;
  private long granted;
  private boolean stopping; // wants no more batches
  private boolean over; // answers nothing any more
  private boolean unread; // the worker sends nothing any more
  private MillraceException lost; // null unless the connection has ended without a Close

  Session(FrameWriter writer, int credit) {
    this(writer, credit, TimeUnit.SECONDS.toNanos(30));
  }

  Session(FrameWriter writer, int credit, long unreadWait) {
    this.writer = writer;
    this.unreadWait = unreadWait;
    this.granted = credit;
  }

  /** Keeps the worker's Hello. */
  void greet(WorkerHello hello) {
    this.hello = hello;
  }

  /** Returns the worker's Hello, null before it has come. */
  WorkerHello hello() {
    return hello;
  }

  /** Says that the worker has closed in good order. */
  void close() {
    closed = true;
  }

  boolean isClosed() {
    return closed;
  }

  /** Returns the most bytes that all results of a batch may have. */
  long largest() {
    long most = hello.getMaxFrameBytes();
    return most < 0 ? MOST_BYTES : Math.min(most, MOST_BYTES);
  }

  /** What a batch meets that has come. */
  enum Arrival {
    WELCOME,
    WITHOUT_CREDIT,
    /** This side has closed: the batch goes to another process. */
    TOO_LATE
  }

  /** Says that a batch has come. */
  Arrival came(long batch) {
    lock.lock();
    try {
      if (over) {
        return Arrival.TOO_LATE;
      }
      batches.put(batch, came++);
      return came <= granted ? Arrival.WELCOME : Arrival.WITHOUT_CREDIT;
    } finally {
      lock.unlock();
    }
  }

  /** Says that all results of a batch are sent, and makes room for the next one. */
  void answered(long batch) {
    lock.lock();
    try {
      batches.remove(batch);
      if (!stopping) {
        granted++;
        writer.send(ProcessFrame.newBuilder().setCredit(BatchCredit.newBuilder().setBatches(1)));
      }
      answerDrains();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Answers a Drain as soon as every batch before it is answered. */
  void drain() {
    lock.lock();
    try {
      drains.add(came);
      answerDrains();
    } finally {
      lock.unlock();
    }
  }

  private void answerDrains() {
    long first = batches.isEmpty() ? came : batches.values().iterator().next();
    while (!drains.isEmpty() && drains.peek() <= first) {
      drains.remove();
      writer.send(ProcessFrame.newBuilder().setDrained(Drained.getDefaultInstance()));
    }
  }

  /**
   * Says that the connection has ended without a Close in good order. It returns false if this side
   * had ended it before.
   */
  boolean lose(MillraceException reason) {
    lock.lock();
    try {
      if (over) {
        return false;
      }
      over = true;
      lost = reason;
      changed.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Says that the worker sends nothing any more, after its Close. */
  void endReading() {
    lock.lock();
    try {
      unread = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Reports whether this side has ended, or has lost, the connection. */
  boolean isOver() {
    lock.lock();
    try {
      return over;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until all batches are answered, without asking for more, or until so many nanoseconds
   * have passed. It returns null if the connection can end in good order, and otherwise the reason.
   */
  MillraceException finishBatches(long nanoseconds) throws InterruptedException {
    lock.lock();
    try {
      stopping = true;
      long left = nanoseconds;
      boolean shortened = false;
      while (!batches.isEmpty() && !over && left > 0) {
        if (unread && !shortened) {
          shortened = true;
          left = Math.min(left, unreadWait);
        }
        left = changed.awaitNanos(left);
      }
      if (!batches.isEmpty() && !over) {
        lost = new MillraceException("batches without results: " + batches.size());
      }
      over = true;
      return lost;
    } finally {
      lock.unlock();
    }
  }
}
