package dev.millrace;

import dev.millrace.processor.v1.ProcessHello;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/**
 * Runs a processor on the records of a worker.
 *
 * <pre>{@code
 * public static void main(String[] args) {
 *   Millrace.run(record -> Output.value(record.text().toUpperCase()));
 * }
 * }</pre>
 */
public final class Millrace {
  private Millrace() {}

  /**
   * Runs a processor on one record after another, on as many threads as the process has CPUs.
   *
   * <p>It is the last thing that a program does: it returns when the worker closes, or when SIGTERM
   * or SIGINT asks for the end, and all records in hand are answered. Make what the processor needs
   * before, and close it afterwards. Threads that a program leaves behind don't keep the process
   * alive.
   *
   * @param processor the processor
   * @throws MillraceException if the connection breaks, or if the environment does not say where
   *     the worker is
   */
  public static void run(RecordProcessor processor) {
    builder().run(processor);
  }

  /**
   * Runs a processor on batches, as {@link #run} does on records.
   *
   * @param processor the processor
   * @throws MillraceException if the connection breaks, or if the environment does not say where
   *     the worker is
   */
  public static void runBatches(BatchProcessor processor) {
    builder().runBatches(processor);
  }

  /**
   * Sets more than {@code run} does.
   *
   * @return a builder that leaves everything to the machine and the manifest
   */
  public static Builder builder() {
    return new Builder();
  }

  /** Says how a processor is run. */
  public static final class Builder {
    private static final System.Logger LOG = System.getLogger("dev.millrace");
    private static final String SDK = "millrace-java 0.1.0";
    // Where Java has no virtual threads.
    private static final int MANY_THREADS = 200;
    // Of each connection, with virtual threads: their number is that of the records.
    private static final int MANY_BATCHES = 4;

    private int threads; // 0 is the number of CPUs
    private boolean virtual;
    private int maxRecords;
    private long maxBytes;
    private Duration linger = Duration.ZERO;

    private Builder() {}

    /**
     * Sets how many threads call the processor. The default is the number of CPUs.
     *
     * @param threads at least 1
     * @return this builder
     */
    public Builder threads(int threads) {
      this.threads = positive("threads", threads);
      return this;
    }

    /**
     * Calls the processor on a virtual thread for each record, for code that mostly waits for
     * others. Java 21 has virtual threads; on an older one it is called by 200 other threads.
     *
     * @return this builder
     */
    public Builder virtualThreads() {
      virtual = true;
      return this;
    }

    /**
     * Asks for batches of at most so many records. The manifest goes first where it sets it.
     *
     * @param records at least 1
     * @return this builder
     */
    public Builder maxRecords(int records) {
      maxRecords = positive("records", records);
      return this;
    }

    /**
     * Asks for batches of at most so many bytes. The manifest goes first where it sets it.
     *
     * @param bytes at least 1
     * @return this builder
     */
    public Builder maxBytes(int bytes) {
      maxBytes = positive("bytes", bytes);
      return this;
    }

    /**
     * Asks to wait at most this long for a full batch. The manifest goes first where it sets it.
     *
     * @param wait the wait, in whole milliseconds
     * @return this builder
     */
    public Builder linger(Duration wait) {
      if (wait.isNegative() || wait.compareTo(Duration.ofDays(1)) > 0) {
        throw new IllegalArgumentException("linger is " + wait + ": it has to be 0 to 24 h");
      }
      linger = wait;
      return this;
    }

    /**
     * Runs a processor on one record after another, as {@link Millrace#run} does.
     *
     * @param processor the processor
     */
    public void run(RecordProcessor processor) {
      run(new Code.Each(Objects.requireNonNull(processor, "processor")));
    }

    /**
     * Runs a processor on batches, as {@link Millrace#runBatches} does.
     *
     * @param processor the processor
     */
    public void runBatches(BatchProcessor processor) {
      run(new Code.Whole(Objects.requireNonNull(processor, "processor")));
    }

    private void run(Code code) {
      Map<String, String> environment = System.getenv();
      // A test that runs a program without a worker goes on.
      socket(environment);
      connections(environment);
      int exitCode = 1;
      try {
        Events events = new Events();
        Signals.onEnd(() -> events.add(new Event.Stop()));
        run(code, environment, events);
        exitCode = 0;
      } catch (MillraceException ended) {
        throw ended.here();
      } finally {
        Ending.afterThisThread(exitCode);
      }
    }

    /** Runs code in an environment, until an event asks for the end. */
    void run(Code code, Map<String, String> environment, Events events) {
      Path socket = socket(environment);
      int connections = connections(environment);
      Pool pool = virtual ? VirtualPool.start(code) : null;
      int credit = MANY_BATCHES;
      if (pool == null) {
        int number = platformThreads();
        pool = PlatformPool.start(code, number);
        // Each thread has a batch, and the next one is there.
        credit = (number + connections - 1) / connections + 1;
      }
      try {
        new Runner(socket, pool, hello(credit), events).run(connections);
      } catch (InterruptedException asked) {
        Thread.currentThread().interrupt();
        throw new MillraceException("the thread that runs the processor was interrupted", asked);
      }
    }

    private int platformThreads() {
      if (virtual) {
        LOG.log(
            Level.INFO,
            "Java %d has no virtual threads: %d other threads call the processor"
                .formatted(Runtime.version().feature(), MANY_THREADS));
        return MANY_THREADS;
      }
      return threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    }

    private ProcessHello hello(int credit) {
      return ProcessHello.newBuilder()
          .setMinVersion(Reader.PROTOCOL_VERSION)
          .setMaxVersion(Reader.PROTOCOL_VERSION)
          .setSdk(SDK)
          .setPid(ProcessHandle.current().pid())
          .setMaxRecords(maxRecords)
          .setMaxBytes(maxBytes)
          .setLingerMs((int) linger.toMillis())
          .setBatchCredit(credit)
          .setMaxFrameBytes(FrameReader.MAX_BYTES)
          .build();
    }

    private static Path socket(Map<String, String> environment) {
      String socket = environment.getOrDefault("MILLRACE_SOCKET", "");
      if (socket.isEmpty()) {
        throw new MillraceException(
            "MILLRACE_SOCKET is not set: the worker sets it for the programs that it runs. Start"
                + " this one by millrace run --sidecar, or test it with dev.millrace.testing");
      }
      return Path.of(socket);
    }

    private static int connections(Map<String, String> environment) {
      String value = environment.getOrDefault("MILLRACE_PROCESSES", "1");
      if (!value.matches("[1-9][0-9]{0,5}")) {
        throw new MillraceException(
            "MILLRACE_PROCESSES is \"" + value + "\": it has to be a number from 1");
      }
      return Integer.parseInt(value);
    }

    private static int positive(String name, int value) {
      if (value < 1) {
        throw new IllegalArgumentException(name + " is " + value + ": it has to be at least 1");
      }
      return value;
    }
  }
}
