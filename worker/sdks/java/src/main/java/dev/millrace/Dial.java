package dev.millrace;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Connects to the worker. */
final class Dial {
  private static final System.Logger LOG = System.getLogger("dev.millrace");
  private static final long FIRST_WAIT = 20;
  private static final long LONGEST_WAIT = 1000;
  // Between two lines in the log.
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(30);

  private Dial() {}

  /**
   * Connects, and waits while the socket is not there yet. It returns null if the process is asked
   * to end before.
   */
  static SocketChannel connect(Path socket, Events events) throws InterruptedException {
    long wait = FIRST_WAIT;
    long warnAt = System.nanoTime() + PATIENCE;
    int strange = 0;
    do {
      try {
        return open(socket);
      } catch (IOException error) {
        // The socket may come to be between the error and a look for it.
        strange = isEarly(error, socket) ? 0 : strange + 1;
        if (strange > 1) {
          throw new MillraceException("connecting to the worker at " + socket + ": " + error);
        }
        if (System.nanoTime() - warnAt >= 0) {
          LOG.log(Level.WARNING, "still waiting for the worker at " + socket + ": " + error);
          warnAt = System.nanoTime() + PATIENCE;
        }
      }
      wait = Math.min(2 * wait, LONGEST_WAIT);
    } while (!events.await(wait));
    return null;
  }

  private static SocketChannel open(Path socket) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.connect(UnixDomainSocketAddress.of(socket));
      return channel;
    } catch (IOException | RuntimeException error) {
      channel.close();
      throw error;
    }
  }

  /** Reports whether the worker does not listen yet. */
  private static boolean isEarly(IOException error, Path socket) {
    // A path that is too long never exists. Java has no class for it.
    boolean tooLong = String.valueOf(error.getMessage()).contains("too long");
    return error instanceof ConnectException || Files.notExists(socket) && !tooLong;
  }
}
