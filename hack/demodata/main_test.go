package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/millrace-dev/millrace/config/samples/language/langid"
)

// TestCommittedFilesAreCurrent checks that the committed files are the generator's output,
// and small.
func TestCommittedFilesAreCurrent(t *testing.T) {
	for name, write := range datasets {
		t.Run(name, func(t *testing.T) {
			var want bytes.Buffer
			if err := write(&want); err != nil {
				t.Fatal(err)
			}
			compressed, err := os.ReadFile(filepath.Join("..", "..", dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if len(compressed) > 5<<20 {
				t.Errorf("%s has %d bytes, too many for the repository", name, len(compressed))
			}
			decoder, err := zstd.NewReader(bytes.NewReader(compressed))
			if err != nil {
				t.Fatal(err)
			}
			defer decoder.Close()
			got, err := io.ReadAll(decoder)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want.Bytes()) {
				t.Fatalf("%s is not the output of the generator; run: go run ./hack/demodata", name)
			}
		})
	}
}

// TestAccessLogHasItsMalformedLines checks that a reader that needs status and duration_ms
// as numbers fails on exactly the lines that were broken on purpose.
func TestAccessLogHasItsMalformedLines(t *testing.T) {
	var log bytes.Buffer
	if err := writeAccessLog(&log); err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(log.Bytes(), []byte("\n")), []byte("\n"))
	if len(lines) != accessLines {
		t.Fatalf("%d lines, want %d", len(lines), accessLines)
	}
	var malformed, problems int
	for _, line := range lines {
		var e struct {
			Status     *int     `json:"status"`
			DurationMS *float64 `json:"duration_ms"`
		}
		if json.Unmarshal(line, &e) != nil || e.Status == nil || e.DurationMS == nil {
			malformed++
		} else if *e.Status >= 500 || *e.DurationMS >= 300 {
			problems++
		}
	}
	if malformed != malformedLines {
		t.Errorf("%d malformed lines, want %d", malformed, malformedLines)
	}
	if share := float64(problems) / accessLines; share < 0.08 || share > 0.25 {
		t.Errorf("%.1f%% of the lines are errors or slow, want 8%% to 25%%", 100*share)
	} else {
		t.Logf("%d lines, %d malformed, %d errors or slow", len(lines), malformed, problems)
	}
}

// TestMessagesAreInTheirLanguages checks that the language model finds the languages of the
// messages, although they have words that it was not trained on.
func TestMessagesAreInTheirLanguages(t *testing.T) {
	model, err := langid.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 7))
	const total = 5_000
	wrong := 0
	for range total {
		text, want := writeMessage(rng)
		if got, _ := model.Classify(text); got != want {
			if wrong++; wrong <= 5 {
				t.Logf("%s instead of %s: %s", got, want, text)
			}
		}
	}
	if wrong > total*2/100 {
		t.Errorf("the model finds the wrong language for %d of %d messages", wrong, total)
	}
}
