package dev.millrace;

import java.util.HashSet;
import java.util.Set;

/** The ids of all batches. Those that follow one another take no memory. */
final class UsedIds {
  private long last; // all from 1 to this one were used
  private final Set<Long> others = new HashSet<>();

  /** Reports whether an id is new. */
  boolean add(long id) {
    if (id > 0 && id <= last || !others.add(id)) {
      return false;
    }
    while (others.remove(last + 1)) {
      last++;
    }
    return true;
  }
}
