package schema

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
)

// TestJSONSchema checks values in both directions, and changes nothing about them.
func TestJSONSchema(t *testing.T) {
	c := compiled(t, sr.TypeJSON, `{"title":"Order","type":"object","required":["id"],"properties":{"id":{"type":"integer"},"address":{"$ref":"address.json"}}}`,
		reference{"address.json", `{"type":"object","properties":{"city":{"type":"string"}}}`})
	if c.record() != "Order" {
		t.Errorf("the record's name is %q", c.record())
	}
	const good = `{ "id": 18446744073709551616, "address":{"city":"x"}}`
	if text, err := c.appendJSON(nil, []byte(good)); err != nil || string(text) != good {
		t.Errorf("%s, %v", text, err)
	}
	for text, want := range map[string]string{
		`{"id":1.5}`:                      "/id: got number, want integer",
		`{}`:                              "id",
		`{"id":1,"address":{"city":5}}`:   "/address/city: got number, want string",
		`{"id":"a","address":{"city":5}}`: "; ",
		`{"id":1}}`:                       "not JSON",
		``:                                "it is empty",
	} {
		for _, convert := range []func([]byte) ([]byte, error){
			func(b []byte) ([]byte, error) { return c.appendJSON([]byte("before"), b) },
			func(b []byte) ([]byte, error) { return c.appendData([]byte("before"), b, "") },
		} {
			got, err := convert([]byte(text))
			if err == nil || !strings.Contains(err.Error(), want) || string(got) != "before" {
				t.Errorf("%s: %q, %v, want an error with %q", text, got, err, want)
			}
		}
	}
}
