import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * A member of a consumer group that says on its standard output what it is assigned and what it
 * gives up, a line each. It goes on after it was answered by a line. The line "leave", or the end of
 * the input, makes it leave the group.
 *
 * Arguments: bootstrap server, group, topic, client id, session timeout in ms.
 */
public class JavaMember {
  private static final BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
  private static volatile boolean leaving;

  public static void main(String[] args) throws Exception {
    Properties config = new Properties();
    config.put("bootstrap.servers", args[0]);
    config.put("group.id", args[1]);
    config.put("client.id", args[3]);
    config.put("session.timeout.ms", args[4]);
    config.put("heartbeat.interval.ms", "100");
    config.put("enable.auto.commit", "false");
    config.put("auto.offset.reset", "earliest");
    config.put("partition.assignment.strategy", CooperativeStickyAssignor.class.getName());
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.subscribe(List.of(args[2]), new Listener());
    while (!leaving) {
      consumer.poll(Duration.ofMillis(50));
      while (!leaving && in.ready()) {
        leaving = "leave".equals(in.readLine());
      }
    }
    consumer.close();
  }

  private static void say(String what, Collection<TopicPartition> partitions) {
    System.out.println(what + partitions.stream().map(p -> " " + p.partition()).collect(Collectors.joining()));
    System.out.flush();
    try {
      String answer = in.readLine();
      leaving = leaving || answer == null || "leave".equals(answer);
    } catch (java.io.IOException e) {
      leaving = true;
    }
  }

  private static class Listener implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      say("assigned", partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      say("revoked", partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      say("lost", partitions);
    }
  }
}
