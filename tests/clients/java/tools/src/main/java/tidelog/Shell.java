package tidelog;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's tools one after the other in one JVM, whose start would be most of their time.
 *
 * <p>A line of standard input is a tool's class and its arguments, separated by tabs. The answer is what the tool
 * printed, each line after {@code "> "}, and at last {@code "= "} with its exit code.
 */
public final class Shell {
    private static final List<Runnable> SHUTDOWN_HOOKS = new CopyOnWriteArrayList<>();
    private static volatile CompletableFuture<Integer> exitCode;

    private Shell() {}

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        Exit.setExitProcedure((code, message) -> end(code));
        Exit.setHaltProcedure((code, message) -> end(code));
        Exit.setShutdownHookAdder((name, hook) -> SHUTDOWN_HOOKS.add(hook));
        var commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] command = line.split("\t");
            var printed = new ByteArrayOutputStream();
            var output = new PrintStream(printed, true, StandardCharsets.UTF_8);
            System.setOut(output);
            System.setErr(output);
            int code = run(command[0], Arrays.copyOfRange(command, 1, command.length));
            output.flush();
            printed.toString(StandardCharsets.UTF_8).lines().forEach(text -> answers.println("> " + text));
            answers.println("= " + code);
        }
        System.exit(0);
    }

    private static int run(String tool, String[] arguments) throws Exception {
        var ended = new CompletableFuture<Integer>();
        exitCode = ended;
        var thread = new Thread(() -> {
            try {
                Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) arguments);
                ended.complete(0);
            } catch (ReflectiveOperationException thrown) {
                thrown.printStackTrace();
                ended.complete(1);
            }
        });
        thread.start();
        int code = ended.get();
        SHUTDOWN_HOOKS.forEach(Runnable::run);
        SHUTDOWN_HOOKS.clear();
        return code;
    }

    /** In place of the end of the JVM: the thread stays here, for nothing after an exit may run. */
    private static void end(int code) {
        exitCode.complete(code);
        while (true) {
            LockSupport.park();
        }
    }
}
