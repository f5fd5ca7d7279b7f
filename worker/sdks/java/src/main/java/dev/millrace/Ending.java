package dev.millrace;

import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Ends a process whose main has ended and which threads of the user's libraries keep alive. The
 * worker's Close and SIGTERM ask that the process ends, and a lost one has to be replaced.
 */
final class Ending {
  private static final System.Logger LOG = System.getLogger("dev.millrace");
  private static final long PATIENCE = TimeUnit.SECONDS.toMillis(2);

  private Ending() {}

  /** Ends the process some time after the calling thread has ended. */
  static void afterThisThread(int exitCode) {
    Thread caller = Thread.currentThread();
    Daemon.start("millrace-ending", () -> end(caller, exitCode));
  }

  private static void end(Thread caller, int exitCode) {
    try {
      caller.join();
      Thread.sleep(PATIENCE);
    } catch (InterruptedException asked) {
      return;
    }
    LOG.log(Level.WARNING, "the process ends although these threads still run: " + names());
    System.exit(exitCode);
  }

  private static String names() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> !thread.isDaemon())
        .map(Thread::getName)
        .sorted()
        .collect(Collectors.joining(", "));
  }
}
