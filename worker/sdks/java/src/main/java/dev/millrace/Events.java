package dev.millrace;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Keeps the first reason for which the process has to end. */
final class Events {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private Event first; // guarded by lock

  /** Adds a reason, unless there is one. */
  void add(Event event) {
    lock.lock();
    try {
      if (first == null) {
        first = event;
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the reason. */
  Event take() throws InterruptedException {
    lock.lock();
    try {
      while (first == null) {
        changed.await();
      }
      return first;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for so many milliseconds, and reports whether there is a reason. */
  boolean await(long milliseconds) throws InterruptedException {
    lock.lock();
    try {
      long left = TimeUnit.MILLISECONDS.toNanos(milliseconds);
      while (first == null && left > 0) {
        left = changed.awaitNanos(left);
      }
      return first != null;
    } finally {
      lock.unlock();
    }
  }
}
