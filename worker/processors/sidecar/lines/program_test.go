package lines_test

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/lines"
)

// The arguments that make the test binary the adapter, or a program for it.
const (
	asAdapter = "as-adapter"
	asProgram = "as-program"
)

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == asAdapter:
		os.Exit(lines.Main(os.Args[2:]))
	case len(os.Args) > 1 && os.Args[1] == asProgram:
		os.Exit(serve())
	}
	os.Exit(m.Run())
}

// serve answers lines as the protocol's test program answers records, as far as lines can say
// the same.
func serve() int {
	in := bufio.NewReaderSize(os.Stdin, 64<<10)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return 0
		}
		var rec map[string]any
		if err := json.Unmarshal(line, &rec); err != nil {
			fmt.Fprintln(os.Stderr, "a line is no JSON:", err)
			return 1
		}
		if _, err := os.Stdout.Write(answer(line, rec)); err != nil {
			return 1
		}
	}
}

func answer(line []byte, rec map[string]any) []byte {
	value, _ := rec["value"].(string)
	command, argument, _ := strings.Cut(value, " ")
	n, _ := strconv.Atoi(argument)
	switch command {
	case "filter":
		return []byte("null\n")
	case "describe":
		return result(map[string]any{"value": describe(rec)})
	case "outputs":
		list := []any{}
		for i := range n {
			list = append(list, map[string]any{"value": i})
		}
		return result(list)
	case "tombstone":
		return []byte(`{"value":null}` + "\n")
	case "empty":
		return []byte(`{"key":"","value":""}` + "\n")
	case "topic":
		return result(map[string]any{"outputTopic": argument})
	case "large":
		return result(map[string]any{"value": strings.Repeat("x", n)})
	case "fail", "permanent":
		return result(map[string]any{"error": argument})
	case "exit":
		fmt.Fprintln(os.Stderr, "the program can't go on")
		os.Exit(3)
	case "latin":
		fmt.Fprintln(os.Stderr, "\xe9chec")
		os.Exit(3)
	case "long":
		fmt.Fprintln(os.Stderr, "x"+strings.Repeat("é", 300))
		os.Exit(3)
	case "leave":
		// A child in a session of its own, with all that the program has open.
		child := exec.Command("setsid", "sleep", "20")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(4)
	case "sleep":
		time.Sleep(time.Duration(n) * time.Millisecond)
	case "text":
		return []byte(argument + "\n")
	case "twice":
		return append(line, line...)
	case "endless":
		for {
			if _, err := os.Stdout.WriteString(strings.Repeat("x", 1<<20)); err != nil {
				os.Exit(1)
			}
		}
	case "close":
		_ = os.Stdout.Close()
		time.Sleep(time.Hour)
	}
	return line
}

func result(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return append(text, '\n')
}

// describe returns what the program has got, with bytes in hexadecimal.
func describe(rec map[string]any) map[string]any {
	at := rec["timestamp"]
	if text, ok := at.(string); ok {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			panic(err)
		}
		at = t.UnixMilli()
	}
	headers := []any{}
	list, _ := rec["headers"].([]any)
	for _, h := range list {
		h := h.(map[string]any)
		headers = append(headers, []any{inHex(h, "key"), inHex(h, "value")})
	}
	return map[string]any{
		"topic": rec["topic"], "partition": rec["partition"], "offset": rec["offset"], "timestamp": at, "attempt": 1,
		"key": inHex(rec, "key"), "value": inHex(rec, "value"), "headers": headers,
	}
}

func inHex(from map[string]any, name string) any {
	if text, ok := from[name+"Base64"].(string); ok {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			panic(err)
		}
		return hex.EncodeToString(b)
	}
	if text, ok := from[name].(string); ok {
		return hex.EncodeToString([]byte(text))
	}
	return nil
}
