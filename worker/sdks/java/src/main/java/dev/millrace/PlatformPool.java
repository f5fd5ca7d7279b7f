package dev.millrace;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A fixed number of threads, which live as long as the process. */
final class PlatformPool implements Pool {
  private final Code code;
  private final int threads;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Jobs with lanes that no thread has taken, and some others. Guarded by lock. */
  private final Queue<Job> jobs = new ArrayDeque<>();

  private PlatformPool(Code code, int threads) {
    this.code = code;
    this.threads = threads;
  }

  static PlatformPool start(Code code, int threads) {
    PlatformPool pool = new PlatformPool(code, threads);
    for (int number = 0; number < threads; number++) {
      Daemon.start("millrace-" + number, pool::work);
    }
    return pool;
  }

  @Override
  public Code code() {
    return code;
  }

  @Override
  public void push(Job job) {
    lock.lock();
    try {
      jobs.add(job);
      if (job.lanes.count() > 1) {
        changed.signalAll();
      } else {
        changed.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  private void work() {
    while (true) {
      work(next());
    }
  }

  /** Waits for a job that has a lane left. */
  private Job next() {
    lock.lock();
    try {
      while (true) {
        while (!jobs.isEmpty() && jobs.peek().allTaken()) {
          jobs.remove();
        }
        if (!jobs.isEmpty()) {
          return jobs.peek();
        }
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  private void work(Job job) {
    Part part = new Part(job);
    int done = 0;
    for (var taken = job.takeLanes(threads); taken != null; taken = job.takeLanes(threads)) {
      for (int lane = taken.first(); lane < taken.end(); lane++) {
        code.run(job, lane, part);
      }
      done += taken.end() - taken.first();
    }
    part.flush(System.nanoTime());
    if (done > 0) {
      job.finish(done);
    }
  }
}
