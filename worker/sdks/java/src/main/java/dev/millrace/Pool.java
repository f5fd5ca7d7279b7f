package dev.millrace;

/** Works on jobs. */
interface Pool {
  /** Returns what it calls. */
  Code code();

  /** Adds a job. */
  void push(Job job);
}
