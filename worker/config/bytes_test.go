package config

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

func TestBytesAreQuantities(t *testing.T) {
	for text, want := range map[string]Bytes{
		`0`: 0, `"0"`: 0, `1048576`: 1 << 20, `"64Mi"`: 64 << 20, `"1G"`: 1e9, `"512k"`: 512_000,
		`"3Ki"`: 3072, `"2Ti"`: 2 << 40, `"1P"`: 1e15, `"7Ei"`: 7 << 60, `"007"`: 7,
		`9223372036854775807`: math.MaxInt64,
	} {
		var got Bytes
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s is %d (%v), want %d", text, got, err, want)
		}
	}
}

func TestBytesAreWrittenExactly(t *testing.T) {
	for value, want := range map[Bytes]string{
		0: "0", 1: "1", 1023: "1023", 1024: "1Ki", 1000: "1k", 64 << 20: "64Mi", 1536 << 20: "1536Mi",
		1e9: "1G", math.MaxInt64: "9223372036854775807",
	} {
		if got := value.String(); got != want {
			t.Errorf("%d is written %s, want %s", int64(value), got, want)
		}
		content, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		var again Bytes
		if err := json.Unmarshal(content, &again); err != nil || again != value {
			t.Errorf("%d is written %s and read as %d (%v)", int64(value), content, int64(again), err)
		}
	}
}

func TestDurationsAreWrittenExactly(t *testing.T) {
	for _, value := range []time.Duration{0, 1, time.Millisecond, 1500 * time.Microsecond, 90 * time.Second, math.MaxInt64} {
		content, err := json.Marshal(Duration{value})
		if err != nil {
			t.Fatal(err)
		}
		var again Duration
		if err := json.Unmarshal(content, &again); err != nil || again.Duration != value {
			t.Errorf("%s is written %s and read as %s (%v)", value, content, again, err)
		}
	}
}
