package dev.millrace;

import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.ReentrantLock;

/** A virtual thread for each lane. */
final class VirtualPool implements Pool {
  private final Code code;
  private final Executor threads;

  VirtualPool(Code code, Executor threads) {
    this.code = code;
    this.threads = threads;
  }

  /** Returns a pool, or null if this Java has no virtual threads. */
  static Pool start(Code code) {
    try {
      // Java 21 has it, and this library is compiled for 17.
      var method = Executors.class.getMethod("newVirtualThreadPerTaskExecutor");
      return new VirtualPool(code, (Executor) method.invoke(null));
    } catch (ReflectiveOperationException tooOld) {
      return null;
    }
  }

  @Override
  public Code code() {
    return code;
  }

  @Override
  public void push(Job job) {
    Shared results = new Shared(job);
    for (int i = 0; i < job.lanes.count(); i++) {
      int lane = i;
      threads.execute(() -> Fatal.guard(() -> work(job, lane, results)));
    }
  }

  private void work(Job job, int lane, Shared results) {
    code.run(job, lane, results);
    results.finishLane();
  }

  /** The results of a job, which the threads of all lanes put. */
  private static final class Shared implements Code.Sink {
    private final Job job;
    // A monitor would hold a thread's carrier before Java 24.
    private final ReentrantLock lock = new ReentrantLock();
    private final Part part; // guarded by lock
    private int unfinished; // guarded by lock

    Shared(Job job) {
      this.job = job;
      this.part = new Part(job);
      this.unfinished = job.lanes.count();
    }

    @Override
    public void put(int place, Result result, long now) {
      lock.lock();
      try {
        part.put(place, result, now);
      } finally {
        lock.unlock();
      }
    }

    void finishLane() {
      lock.lock();
      try {
        unfinished--;
        if (unfinished == 0) {
          part.flush(System.nanoTime());
        }
      } finally {
        lock.unlock();
      }
      job.finish(1);
    }
  }
}
