import dev.millrace.Failure;
import dev.millrace.Millrace;
import dev.millrace.Output;
import dev.millrace.Record;
import dev.millrace.Result;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Turns the lines of a web server's access log into JSON.
 *
 * <p>A line such as
 *
 * <pre>192.0.2.7 - - [01/Dec/2026:08:15:30 +0000] "GET /shop?q=1 HTTP/1.1" 200 512</pre>
 *
 * becomes {"host": "192.0.2.7", "time": "2026-12-01T08:15:30Z", ...}, under its host as the key.
 * Health checks are left out, and lines of another form are dead letters.
 */
public final class AccessLog {
  private static final Pattern LINE =
      Pattern.compile(
          "(?<host>\\S+) \\S+ \\S+ \\[(?<time>[^]]+)] "
              + "\"(?<method>[A-Z]+) (?<path>[^ \"]+)[^\"]*\" (?<status>\\d{3}) (?<bytes>\\d+|-)");
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ROOT);

  private AccessLog() {}

  /** What is written as JSON. */
  public record Entry(
      String host, String time, String method, String path, int status, long bytes) {}

  public static void main(String[] arguments) {
    Millrace.run(AccessLog::parse);
  }

  public static Result parse(Record record) {
    String line = record.text();
    Matcher match = LINE.matcher(line);
    if (!match.lookingAt()) {
      throw Failure.permanent("no line of an access log: " + line);
    }
    if (match.group("path").equals("/healthz")) {
      return Result.none();
    }
    String bytes = match.group("bytes");
    Entry entry =
        new Entry(
            match.group("host"),
            ZonedDateTime.parse(match.group("time"), TIME).toInstant().toString(),
            match.group("method"),
            match.group("path"),
            Integer.parseInt(match.group("status")),
            bytes.equals("-") ? 0 : Long.parseLong(bytes));
    return Output.json(entry).withKey(entry.host());
  }
}
