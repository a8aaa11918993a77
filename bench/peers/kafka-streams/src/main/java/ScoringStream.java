import java.nio.file.Files;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Kafka Streams with ONNX Runtime: one stream thread, one mapValues, at least once (its default).
 *
 * <p>acks=all and the prefixes of clients are those of "Configuring a Streams Application",
 * https://kafka.apache.org/44/streams/developer-guide/config-streams/. Batches are larger than by
 * default, and wait for 5 ms instead of the 100 ms that Streams sets, for the sake of its latency.
 */
public final class ScoringStream {
  private static final int BATCH_BYTES = 900_000;
  private static final int LINGER_MS = 5;

  public static void main(String[] arguments) throws Exception {
    String brokers = arguments[0];
    String group = arguments[1];
    Scorer scorer = new Scorer(arguments[4]);
    var bytes = Serdes.ByteArray();
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(arguments[2], Consumed.with(bytes, bytes))
        .mapValues(scorer::score)
        .to(arguments[3], Produced.with(bytes, bytes));
    KafkaStreams streams = new KafkaStreams(builder.build(), settings(brokers, group));
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  private static Properties settings(String brokers, String group) throws Exception {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("streams").toString());
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 2048);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.ACKS_CONFIG), "all");
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), BATCH_BYTES);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), LINGER_MS);
    return settings;
  }
}
