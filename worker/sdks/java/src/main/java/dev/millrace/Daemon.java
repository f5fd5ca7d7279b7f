package dev.millrace;

/** Threads that don't keep the process alive. */
final class Daemon {
  private Daemon() {}

  /** Starts a thread. An error in it ends the process, which would wait for the thread for ever. */
  static Thread start(String name, Runnable work) {
    Thread thread = new Thread(() -> Fatal.guard(work), name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
