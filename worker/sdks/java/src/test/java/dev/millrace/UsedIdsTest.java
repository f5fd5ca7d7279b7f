package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class UsedIdsTest {
  @Test
  void eachIdIsUsedOnce() {
    UsedIds used = new UsedIds();
    for (long id : new long[] {1, 2, 0, 5, 4, 3, 6, -1}) {
      assertTrue(used.add(id), () -> "first " + id);
      assertFalse(used.add(id), () -> "second " + id);
    }
    assertFalse(used.add(4));
    assertTrue(used.add(7));
  }
}
