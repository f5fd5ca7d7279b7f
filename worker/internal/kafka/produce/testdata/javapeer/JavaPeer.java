import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;

/** Java's own clients, as the other side of a test. */
public class JavaPeer {
    public static void main(String[] args) throws Exception {
        String brokers = args[1];
        switch (args[0]) {
            case "read" -> read(brokers, args[2]);
            case "transact" -> transact(brokers, args[2]);
            case "stream" -> stream(brokers, args[2], args[3], args[4]);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    /** Prints the offset and the value of each committed record in partition 0. */
    private static void read(String brokers, String topic) {
        Map<String, Object> config = Map.of("bootstrap.servers", brokers, "isolation.level", "read_committed");
        TopicPartition partition = new TopicPartition(topic, 0);
        try (var consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
                    System.out.println(record.offset() + " " + record.value());
                }
            }
        }
    }

    /** Writes a transaction that is committed, one that is aborted, and another that is committed. */
    private static void transact(String brokers, String topic) {
        Map<String, Object> config = Map.of("bootstrap.servers", brokers, "transactional.id", topic, "compression.type", "lz4");
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            producer.initTransactions();
            for (String value : List.of("first", "aborted", "second")) {
                producer.beginTransaction();
                for (int i = 0; i < 3; i++) {
                    producer.send(new ProducerRecord<>(topic, 0, null, value + i));
                }
                producer.flush();
                if (value.equals("aborted")) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                }
            }
        }
    }

    /** Copies a topic exactly once until its input ends. */
    private static void stream(String brokers, String from, String to, String dir) throws Exception {
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, to + "-app");
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        config.put(StreamsConfig.STATE_DIR_CONFIG, dir);
        config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put("auto.offset.reset", "earliest");
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(from).to(to);
        try (var streams = new KafkaStreams(builder.build(), config)) {
            streams.start();
            System.in.read();
        }
    }
}
