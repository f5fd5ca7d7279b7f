package schema

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
)

const shop = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "common.proto";
message Order {
  int64 id = 1;
  string customer_name = 2;
  optional int32 pieces = 3;
  repeated Line lines = 4;
  map<string, double> rates = 5;
  Colour colour = 6;
  bytes raw = 7;
  google.protobuf.Timestamp at = 8;
  google.protobuf.StringValue note = 9;
  Money money = 10;
  oneof way { string road = 11; uint64 rail = 12; }
  message Line { string article = 1; }
}
enum Colour { RED = 0; BLUE = 1; }
message Second { bool yes = 1; }
`

func protoCodec(t *testing.T) codec {
	return compiled(t, sr.TypeProtobuf, shop, reference{"common.proto", `syntax = "proto3"; package shop; message Money { int64 cents = 1; }`})
}

// TestProtobufBothWays: the bytes are those of Protobuf's specification, by hand, behind the
// place of the message.
func TestProtobufBothWays(t *testing.T) {
	const empty = `"colour":"RED","customerName":"","id":0,"lines":[],"rates":{},"raw":""`
	for _, c := range []struct{ name, record, data, json string }{
		{"zeros", "", "00", `{` + empty + `}`},
		{"the longest integer", "", "0008ffffffffffffffff7f", `{` + strings.Replace(empty, `"id":0`, `"id":9223372036854775807`, 1) + `}`},
		{"a field with presence", "", "001800", `{` + strings.Replace(empty, `"rates"`, `"pieces":0,"rates"`, 1) + `}`},
		{"a message in a message", "", "002203" + "0a0161", `{` + strings.Replace(empty, `[]`, `[{"article":"a"}]`, 1) + `}`},
		{"a map", "", "002a0c" + "0a0161" + "11000000000000e03f", `{` + strings.Replace(empty, `"rates":{}`, `"rates":{"a":0.5}`, 1) + `}`},
		{"an enum", "", "003001", `{` + strings.Replace(empty, `RED`, `BLUE`, 1) + `}`},
		{"bytes", "", "003a0200ff", `{` + strings.Replace(empty, `"raw":""`, `"raw":"AP8="`, 1) + `}`},
		{"a timestamp", "", "0042020801", `{"at":"1970-01-01T00:00:01Z",` + empty + `}`},
		{"a wrapper", "", "004a030a0178", `{` + strings.Replace(empty, `"rates"`, `"note":"x","rates"`, 1) + `}`},
		{"a referenced message", "", "0052020805", `{` + strings.Replace(empty, `"rates"`, `"money":{"cents":5},"rates"`, 1) + `}`},
		{"one of two", "", "006007", `{` + strings.Replace(empty, `"rates"`, `"rail":7,"rates"`, 1) + `}`},
		{"the second message", "shop.Second", "02020801", `{"yes":true}`},
		{"a nested message behind that of the map", "shop.Order.Line", "040002" + "0a0161", `{"article":"a"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			codec := protoCodec(t)
			data, err := hex.DecodeString(c.data)
			if err != nil {
				t.Fatal(err)
			}
			text, err := codec.appendJSON(nil, data)
			if err != nil || string(text) != c.json {
				t.Errorf("%x is %s (%v), want %s", data, text, err, c.json)
			}
			back, err := codec.appendData(nil, []byte(c.json), c.record)
			if err != nil || !bytes.Equal(back, data) {
				t.Errorf("%s is written as %x (%v), want %x", c.json, back, err, data)
			}
		})
	}
}

// TestProtobufThatDoesNotFit is refused.
func TestProtobufThatDoesNotFit(t *testing.T) {
	c := protoCodec(t)
	for text, want := range map[string]string{
		`{"id":"a"}`:        "id",
		`{"nothing":1}`:     `unknown field "nothing"`,
		`{"colour":"PINK"}`: "PINK",
		`[]`:                "unexpected token",
		``:                  "unexpected token",
	} {
		got, err := c.appendData([]byte("before"), []byte(text), "")
		if err == nil || !strings.Contains(err.Error(), want) || string(got) != "before" {
			t.Errorf("%s: %q, %v, want an error with %q", text, got, err, want)
		}
	}
	if _, err := c.appendData(nil, []byte(`{}`), "shop.Third"); err == nil || !strings.Contains(err.Error(), "no message shop.Third") {
		t.Errorf("a message that does not exist: %v", err)
	}
	for _, data := range []string{"", "01", "0206", "000a05", "fefffffffffffffff01", "00ffff"} {
		raw, _ := hex.DecodeString(data)
		if text, err := c.appendJSON(nil, raw); err == nil {
			t.Errorf("%s is read as %s", data, text)
		}
	}
}

// TestSchemasThatCanNotBeUsed are errors of the schema.
func TestSchemasThatCanNotBeUsed(t *testing.T) {
	for _, s := range []sr.Schema{
		{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; message A { Missing m = 1; }`},
		{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; import "missing.proto"; message A {}`},
		{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; enum A { B = 0; }`},
		{Type: sr.TypeAvro, Schema: `{"type":"record"}`},
		{Type: sr.TypeAvro, Schema: field(`"n.Missing"`)},
		{Type: sr.TypeJSON, Schema: `{"type":7}`},
		{Type: sr.TypeJSON, Schema: `{"$ref":"file:///etc/passwd"}`},
		{Type: sr.TypeJSON, Schema: `no JSON`},
	} {
		if _, err := compile(definition{Schema: s}); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error in one line", s.Schema, err)
		}
	}
}
