package dev.millrace;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Programs that {@link ProcessTest} runs in processes of their own. */
final class Programs {
  private Programs() {}

  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "work" -> work();
      case "threads" -> {
        Thread thread = new Thread(Programs::forEver, "of a library");
        thread.start();
        Millrace.run(Programs::act);
      }
      case "main" -> {
        Ending.callerMilliseconds = 500;
        try {
          Millrace.run(Programs::act);
        } finally {
          forEver();
        }
      }
      case "hook" -> {
        Ending.hooksMilliseconds = 500;
        Runtime.getRuntime().addShutdownHook(new Thread(Programs::forEver));
        Millrace.run(Programs::act);
      }
      case "batches" ->
          Millrace.runBatches(records -> records.stream().map(record -> Output.same()).toList());
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static void work() {
    try (AutoCloseable state = () -> System.err.println("state closed")) {
      Millrace.run(Programs::act);
      System.err.println("run has returned with " + state.getClass().isSynthetic());
    } catch (MillraceException ended) {
      throw ended;
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
  }

  private static Result act(Record record) throws Exception {
    switch (record.text()) {
      case "wait" -> System.in.read();
      case "never" -> forEver();
      case "exit" -> System.exit(0);
      case "memory" -> fill();
      default -> {}
    }
    return Output.same();
  }

  private static void forEver() {
    while (true) {
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException ignored) {
        // It does not care.
      }
    }
  }

  private static void fill() {
    List<long[]> all = new ArrayList<>();
    while (true) {
      all.add(new long[1 << 20]);
    }
  }
}
