package schema

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
)

func compiled(t *testing.T, kind sr.SchemaType, text string, references ...reference) codec {
	t.Helper()
	c, err := compile(definition{Schema: sr.Schema{Schema: text, Type: kind}, references: references})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// field returns the schema of a record with a field v of a type.
func field(kind string) string {
	return `{"type":"record","name":"R","namespace":"n","fields":[{"name":"v","type":` + kind + `}]}`
}

// TestAvroBothWays: the bytes are those of Avro's specification, by hand.
func TestAvroBothWays(t *testing.T) {
	for _, c := range []struct{ name, kind, data, json string }{
		{"boolean", `"boolean"`, "01", `true`},
		{"int", `"int"`, "03", `-2`},
		{"the longest integer", `"long"`, "feffffffffffffffff01", `9223372036854775807`},
		{"double", `"double"`, "000000000000f03f", `1`},
		{"no number", `"double"`, "000000000000f87f", `"NaN"`},
		{"infinity", `"float"`, "000080ff", `"-Infinity"`},
		{"text", `"string"`, "0ac3bc3c3e26", `"ü<>&"`},
		{"bytes", `"bytes"`, "0400ff", `"AP8="`},
		{"fixed", `{"type":"fixed","name":"F","size":2}`, "00ff", `"AP8="`},
		{"enum", `{"type":"enum","name":"E","symbols":["A","B"]}`, "02", `"B"`},
		{"array", `{"type":"array","items":"int"}`, "04020400", `[1,2]`},
		{"map", `{"type":"map","values":"int"}`, "0202610200", `{"a":1}`},
		{"null in a union", `["null","string"]`, "00", `null`},
		{"text in a union", `["null","string"]`, "020261", `"a"`},
		{"long in a union", `["null","long"]`, "0254", `42`},
		{"double in a union", `["null","double"]`, "02000000000000e03f", `0.5`},
		{"bytes in a union", `["null","bytes"]`, "020400ff", `"AP8="`},
		{"record in a union", `["null",{"type":"record","name":"S","fields":[{"name":"a","type":"int"}]}]`, "0202", `{"a":1}`},
		{"time in a union", `["null",{"type":"long","logicalType":"timestamp-millis"}]`, "0280a0d5edee66", `"2026-01-01T00:00:00Z"`},
		{"decimal in a union", `["null",{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}]`, "020404ce", `12.30`},
		{"date", `{"type":"int","logicalType":"date"}`, "ccbf02", `"2026-01-01"`},
		{"date before 1970", `{"type":"int","logicalType":"date"}`, "01", `"1969-12-31"`},
		{"milliseconds of a day", `{"type":"int","logicalType":"time-millis"}`, "feb08001", `"00:17:31.711"`},
		{"microseconds of a day", `{"type":"long","logicalType":"time-micros"}`, "02", `"00:00:00.000001"`},
		{"timestamp", `{"type":"long","logicalType":"timestamp-millis"}`, "02", `"1970-01-01T00:00:00.001Z"`},
		{"timestamp before 1970", `{"type":"long","logicalType":"timestamp-micros"}`, "01", `"1969-12-31T23:59:59.999999Z"`},
		{"timestamp in nanoseconds", `{"type":"long","logicalType":"timestamp-nanos"}`, "02", `"1970-01-01T00:00:00.000000001Z"`},
		{"local timestamp", `{"type":"long","logicalType":"local-timestamp-millis"}`, "d00f", `"1970-01-01T00:00:01"`},
		{"decimal", `{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`, "0404ce", `12.30`},
		{"negative decimal", `{"type":"fixed","name":"D","size":2,"logicalType":"decimal","precision":4,"scale":1}`, "ff85", `-12.3`},
		{"decimal of 128", `{"type":"bytes","logicalType":"decimal","precision":9,"scale":0}`, "040080", `128`},
		{"decimal of -128", `{"type":"bytes","logicalType":"decimal","precision":9,"scale":0}`, "0280", `-128`},
		{"decimal of 0", `{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`, "0200", `0.00`},
		{"decimal with a scale", `{"type":"bytes","logicalType":"big-decimal"}`, "06027b02", `12.3`},
		{"uuid", `{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}`, "000102030405060708090a0b0c0d0e0f", `"00010203-0405-0607-0809-0a0b0c0d0e0f"`},
		{"duration", `{"type":"fixed","name":"P","size":12,"logicalType":"duration"}`, "010000000200000003000000", `{"days":2,"milliseconds":3,"months":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			codec := compiled(t, sr.TypeAvro, field(c.kind))
			data, err := hex.DecodeString(c.data)
			if err != nil {
				t.Fatal(err)
			}
			want := `{"v":` + c.json + `}`
			text, err := codec.appendJSON(nil, data)
			if err != nil || string(text) != want {
				t.Errorf("%x is %s (%v), want %s", data, text, err, want)
			}
			back, err := codec.appendData(nil, []byte(want), "")
			if err != nil || !bytes.Equal(back, data) {
				t.Errorf("%s is written as %x (%v), want %x", want, back, err, data)
			}
		})
	}
}

// TestAvroThatDoesNotFit is refused, with the field.
func TestAvroThatDoesNotFit(t *testing.T) {
	for _, c := range []struct{ kind, json, want string }{
		{`"int"`, `{"v":"a"}`, "v"},
		{`"int"`, `{"v":2147483648}`, "v"},
		{`"long"`, `{"v":0.5}`, "v"},
		{`"string"`, `{}`, "v"},
		{`"string"`, `{"v":"a","w":1}`, `the record n.R has no field "w"`},
		{`"string"`, `{"v":1}`, "v"},
		{`"bytes"`, `{"v":"*"}`, `"*" is not base64`},
		{`{"type":"enum","name":"E","symbols":["A","B"]}`, `{"v":"C"}`, "C"},
		{`{"type":"int","logicalType":"time-millis"}`, `{"v":"25:00:00"}`, `"25:00:00" is not a time of day`},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `{"v":1.234}`, "v"},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `{"v":123456}`, "v"},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `{"v":1e999999999}`, "exponent"},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `{"v":"1/3"}`, "is no decimal"},
		{`{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}`, `{"v":"0001"}`, "is not a UUID"},
		{`"int"`, `{"v":1`, "it is not JSON"},
		{`"int"`, `{"v":1} {}`, "more than one value"},
		{`"int"`, ``, "it is empty"},
	} {
		got, err := compiled(t, sr.TypeAvro, field(c.kind)).appendData([]byte("before"), []byte(c.json), "")
		if err == nil || !strings.Contains(err.Error(), c.want) || string(got) != "before" {
			t.Errorf("%s as %s: %q, %v, want an error with %q", c.json, c.kind, got, err, c.want)
		}
	}
	codec := compiled(t, sr.TypeAvro, field(`"string"`))
	for _, data := range []string{"", "\x0aab", "\x02ab", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a"} {
		if text, err := codec.appendJSON(nil, []byte(data)); err == nil {
			t.Errorf("%q is read as %s", data, text)
		}
	}
}

// TestAvroReferences: a schema may use the types of others.
func TestAvroReferences(t *testing.T) {
	c := compiled(t, sr.TypeAvro, field(`"n.Other"`), reference{"n.Other", `{"type":"record","name":"Other","namespace":"n","fields":[{"name":"a","type":"int"}]}`})
	text, err := c.appendJSON(nil, []byte{2})
	if err != nil || string(text) != `{"v":{"a":1}}` || c.record() != "n.R" {
		t.Errorf("%s, %v, of %s", text, err, c.record())
	}
}

// TestDefaultsFillAvroFields that a result does not have.
func TestDefaultsFillAvroFields(t *testing.T) {
	c := compiled(t, sr.TypeAvro, `{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":7},{"name":"b","type":["null","string"],"default":null}]}`)
	data, err := c.appendData(nil, []byte(`{}`), "")
	if err != nil || !bytes.Equal(data, []byte{14, 0}) {
		t.Errorf("%x, %v", data, err)
	}
}
