package envelope

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestBytesComeBack(t *testing.T) {
	for _, content := range [][]byte{nil, {}, []byte("text"), []byte(`a "quote" <b>`), {0xff, 0}, []byte("\u2028")} {
		text, base64 := Text(content)
		got, err := Bytes("value", text, base64)
		if err != nil || !bytes.Equal(got, content) || (got == nil) != (content == nil) {
			t.Errorf("%q comes back as %q (null: %v), %v", content, got, got == nil, err)
		}
		h := NewHeader(string(content), content)
		name, value, err := h.Bytes()
		if err != nil || name != string(content) || !bytes.Equal(value, content) {
			t.Errorf("a header %q comes back as %q: %q, %v", content, name, value, err)
		}
	}
}

func TestBytesOfOtherJSON(t *testing.T) {
	if got, err := Bytes("value", json.RawMessage(`{"a": 1}`), nil); err != nil || string(got) != `{"a": 1}` {
		t.Errorf("an object becomes %q, %v", got, err)
	}
	for want, wrong := range map[string]json.RawMessage{
		"value: it stands there twice": json.RawMessage(`"a"`),
		"value: it is not in UTF-8":    json.RawMessage("\"\xff\""),
	} {
		var base64 []byte
		if strings.Contains(want, "twice") {
			base64 = []byte("a")
		}
		if _, err := Bytes("value", wrong, base64); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", wrong, err, want)
		}
	}
}

func TestTime(t *testing.T) {
	want := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	for _, text := range []string{`"2026-01-02T03:04:05.006Z"`, `1767323045006`} {
		if got, err := Time(json.RawMessage(text)); err != nil || !got.Equal(want) {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	if got, err := Time(json.RawMessage("null")); err != nil || !got.IsZero() {
		t.Errorf("null is %v, %v", got, err)
	}
	_, err := Time(json.RawMessage(`"` + strings.Repeat("x", 1000) + `"`))
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("a long text that is no time: %v", err)
	}
}

func TestErrorsInPlainWords(t *testing.T) {
	g := Grammar{Shape: "it must be an object", Fields: "key and headers"}
	for text, want := range map[string]string{
		`[]`:                          "it is a JSON array: it must be an object",
		`{"key": 1}`:                  "key: it must not be a JSON number",
		`{"kez": ""}`:                 `unknown field "kez": the fields are key and headers`,
		`{"headers": [{"name": 1}]}`:  `unknown field "name"`,
		`{"key": "a"`:                 "it is not JSON: it ends too early",
		`{"key" "a"}`:                 "it is not JSON: invalid character",
		`{} {}`:                       "there is more after the JSON",
		`{"headers": {"b":1,"a":""}}`: "",
	} {
		var line struct {
			Key     string  `json:"key"`
			Headers Headers `json:"headers"`
		}
		err := g.Decode([]byte(text), &line)
		if want == "" && err == nil {
			if len(line.Headers) != 2 || line.Headers[0].Key != "a" || line.Headers[1].Key != "b" {
				t.Errorf("%s has the headers %v, want those of a and b", text, line.Headers)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}
