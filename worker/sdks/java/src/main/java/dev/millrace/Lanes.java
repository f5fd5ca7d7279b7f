package dev.millrace;

import com.google.protobuf.ByteString;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The records of a batch, by their places. Those in one lane are worked on in their order. */
final class Lanes {
  /** The places of all lanes one after another; null if each record has a lane. */
  private final int[] places;

  /** Where each lane starts in the places, and where the last one ends. */
  private final int[] starts;

  private final int count;

  private Lanes(int[] places, int[] starts, int count) {
    this.places = places;
    this.starts = starts;
    this.count = count;
  }

  /** Returns the lanes of records under an ordering of the protocol. */
  static Lanes of(List<Record> records, String ordering) {
    return switch (ordering) {
      case "Unordered" -> new Lanes(null, null, records.size());
      case "Key" -> ordered(records, Lanes::keyOf);
      default -> ordered(records, Record::partition);
    };
  }

  /** Returns all records as one lane. */
  static Lanes whole(int records) {
    return new Lanes(null, new int[] {0, records}, 1);
  }

  private record Key(int partition, ByteString key) {}

  /** Returns what records of one lane share, null for a record without order. */
  private static Object keyOf(Record record) {
    ByteString key = record.keyString();
    return key == null ? null : new Key(record.partition(), key);
  }

  private interface Sharing {
    Object of(Record record);
  }

  private static Lanes ordered(List<Record> records, Sharing sharing) {
    int[] laneOf = new int[records.size()];
    int count = 0;
    Map<Object, Integer> lanes = new HashMap<>();
    for (int place = 0; place < laneOf.length; place++) {
      Object shared = sharing.of(records.get(place));
      Integer lane = shared == null ? null : lanes.putIfAbsent(shared, count);
      laneOf[place] = lane == null ? count++ : lane;
    }
    return sorted(laneOf, count);
  }

  private static Lanes sorted(int[] laneOf, int count) {
    int[] starts = new int[count + 1];
    for (int lane : laneOf) {
      starts[lane + 1]++;
    }
    for (int lane = 0; lane < count; lane++) {
      starts[lane + 1] += starts[lane];
    }
    int[] next = Arrays.copyOf(starts, count);
    int[] places = new int[laneOf.length];
    for (int place = 0; place < laneOf.length; place++) {
      places[next[laneOf[place]]++] = place;
    }
    return new Lanes(places, starts, count);
  }

  int count() {
    return count;
  }

  /** Returns how many records a lane has. */
  int size(int lane) {
    return starts == null ? 1 : starts[lane + 1] - starts[lane];
  }

  /** Returns the place of a lane's record. */
  int place(int lane, int index) {
    int at = starts == null ? lane : starts[lane] + index;
    return places == null ? at : places[at];
  }
}
