import dev.millrace.Millrace;
import dev.millrace.Output;

/** Writes each value back. */
public final class Echo {
  public static void main(String[] args) {
    Millrace.run(record -> Output.value(record.value()));
  }
}
