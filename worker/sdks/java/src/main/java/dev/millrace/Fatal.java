package dev.millrace;

/**
 * Ends a process that can't be relied upon any more, such as one without memory. The worker finds
 * the record that is at fault, and no other is charged with it.
 */
final class Fatal {
  private static final int EXIT_CODE = 3;

  private Fatal() {}

  static void guard(Runnable work) {
    try {
      work.run();
    } catch (Throwable error) {
      end(error);
    }
  }

  private static void end(Throwable error) {
    try {
      System.err.println("millrace: the process ends, since it has failed: " + error);
      if (!(error instanceof VirtualMachineError)) {
        error.printStackTrace();
      }
    } finally {
      // Not exit, whose hooks may need what has failed.
      Runtime.getRuntime().halt(EXIT_CODE);
    }
  }
}
