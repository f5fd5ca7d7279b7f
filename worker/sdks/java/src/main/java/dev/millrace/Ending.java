package dev.millrace;

import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Ends a process that does not end by itself: because of threads of the user's libraries, of code
 * behind run that hangs, or of a shutdown hook that does. The worker's Close and SIGTERM ask that
 * the process ends, and a lost one has to be replaced. No thread of a JVM can be killed, and no
 * other process looks after this one, so nobody else would end it.
 */
final class Ending {
  private static final System.Logger LOG = System.getLogger("dev.millrace");
  private static final long THREADS_MILLISECONDS = TimeUnit.SECONDS.toMillis(2);

  // Tests have less patience.
  /** How long what stands behind run may take, such as closing a model. */
  static long callerMilliseconds = TimeUnit.SECONDS.toMillis(60);

  /** How long shutdown hooks may take. */
  static long hooksMilliseconds = TimeUnit.SECONDS.toMillis(30);

  private Ending() {}

  /** Ends the process some time after the calling thread has ended. */
  static void afterThisThread(int exitCode) {
    Thread caller = Thread.currentThread();
    Daemon.start("millrace-ending", () -> end(caller, exitCode));
  }

  private static void end(Thread caller, int exitCode) {
    try {
      caller.join(callerMilliseconds);
      // Hooks run already if nothing has kept the process alive.
      Daemon.start("millrace-halting", () -> halt(exitCode));
      Thread.sleep(THREADS_MILLISECONDS);
    } catch (InterruptedException asked) {
      return;
    }
    LOG.log(Level.WARNING, "the process ends although these threads still run: " + names());
    System.exit(exitCode);
  }

  private static void halt(int exitCode) {
    try {
      Thread.sleep(THREADS_MILLISECONDS + hooksMilliseconds);
    } catch (InterruptedException asked) {
      return;
    }
    // Not by a logger, whose hook may be the one that hangs.
    System.err.println("millrace: the process ends although its shutdown hooks have not ended");
    Runtime.getRuntime().halt(exitCode);
  }

  private static String names() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> !thread.isDaemon())
        .map(Thread::getName)
        .sorted()
        .collect(Collectors.joining(", "));
  }
}
