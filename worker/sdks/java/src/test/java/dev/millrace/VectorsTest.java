package dev.millrace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.util.JsonFormat;
import dev.millrace.processor.v1.ProcessFrame;
import dev.millrace.processor.v1.WorkerFrame;
import java.io.ByteArrayInputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** The protocol's frames are read and written as the specification says. */
final class VectorsTest {
  @Test
  void vectors() throws Exception {
    JsonNode vectors =
        new ObjectMapper().readTree(Files.readString(Path.of("../protocol/vectors.json")));
    assertTrue(vectors.size() > 10, () -> vectors.size() + " vectors");
    for (JsonNode vector : vectors) {
      String name = vector.get("name").asText();
      byte[] frame = HexFormat.of().parseHex(vector.get("hex").asText());
      String json = vector.get("message").toString();
      if (vector.get("from").asText().equals("worker")) {
        WorkerFrame.Builder wanted = WorkerFrame.newBuilder();
        JsonFormat.parser().merge(json, wanted);
        var channel = Channels.newChannel(new ByteArrayInputStream(frame));
        assertEquals(wanted.build(), new FrameReader(channel).read(), name);
      } else {
        ProcessFrame.Builder wanted = ProcessFrame.newBuilder();
        JsonFormat.parser().merge(json, wanted);
        byte[] content = Arrays.copyOfRange(frame, 4, frame.length);
        assertEquals(wanted.build(), ProcessFrame.parseFrom(content), name);
        assertArrayEquals(frame, Frame.of(wanted.build()).bytes().array(), name);
      }
    }
  }
}
