package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LanesTest {
  private static List<List<Integer>> lanes(String ordering) {
    List<Record> records =
        List.of(
            Record.builder().key("k").build(),
            Record.builder().build(),
            Record.builder().key("k").at("t", 1, 0).build(),
            Record.builder().key("k").build(),
            Record.builder().build());
    return lists(Lanes.of(records, ordering));
  }

  private static List<List<Integer>> lists(Lanes lanes) {
    List<List<Integer>> found = new ArrayList<>();
    for (int lane = 0; lane < lanes.count(); lane++) {
      List<Integer> places = new ArrayList<>();
      for (int i = 0; i < lanes.size(lane); i++) {
        places.add(lanes.place(lane, i));
      }
      found.add(places);
    }
    return found;
  }

  @Test
  void recordsWhoseOrderCountsShareLane() {
    assertEquals(
        List.of(List.of(0), List.of(1), List.of(2), List.of(3), List.of(4)), lanes("Unordered"));
    assertEquals(List.of(List.of(0, 3), List.of(1), List.of(2), List.of(4)), lanes("Key"));
    assertEquals(List.of(List.of(0, 1, 3, 4), List.of(2)), lanes("Partition"));
    assertEquals(List.of(List.of(0, 1, 2)), lists(Lanes.whole(3)));
  }

  @Test
  void eachLaneIsTakenOnce() {
    for (int count : new int[] {1, 7, 1000}) {
      List<Record> records = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        records.add(Record.builder().build());
      }
      Job job = new Job(null, 1, records, Lanes.of(records, "Unordered"));
      int next = 0;
      for (var taken = job.takeLanes(3); taken != null; taken = job.takeLanes(3)) {
        assertEquals(next, taken.first());
        next = taken.end();
      }
      assertEquals(count, next);
      assertEquals(true, job.allTaken());
    }
  }
}
