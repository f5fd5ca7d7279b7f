package dev.millrace;

import java.lang.System.Logger.Level;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Calls a function at SIGTERM and SIGINT, instead of Java's own end of the process: that one would
 * not wait for the records in hand, and its exit code is not 0.
 */
final class Signals {
  private static final System.Logger LOG = System.getLogger("dev.millrace");
  private static final int EXIT_CODE = 1;

  private Signals() {}

  /** Calls the function at the first signal. A second one of the same kind ends the process. */
  static void onEnd(Runnable end) {
    try {
      handle("TERM", end);
      handle("INT", end);
    } catch (InvocationTargetException refused) {
      // Such as by java -Xrs.
      LOG.log(Level.WARNING, "SIGTERM ends the process at once: " + refused.getCause());
    } catch (ReflectiveOperationException missing) {
      throw new MillraceException(
          "this Java can't handle SIGTERM: add the module jdk.unsupported to it", missing);
    }
  }

  /** By reflection, since javac warns of this package, and nothing else does the same. */
  private static void handle(String name, Runnable end) throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    AtomicBoolean came = new AtomicBoolean();
    InvocationHandler invoked =
        (proxy, method, arguments) -> {
          if (!method.getName().equals("handle")) {
            return method.invoke(came, arguments); // of Object
          }
          if (came.getAndSet(true)) {
            Runtime.getRuntime().halt(EXIT_CODE);
          }
          end.run();
          return null;
        };
    Object proxy =
        Proxy.newProxyInstance(Signals.class.getClassLoader(), new Class<?>[] {handler}, invoked);
    signal
        .getMethod("handle", signal, handler)
        .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
  }
}
