package schema

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/twmb/avro"
)

// avroTypes are the types whose form in JSON differs from what the library makes of them. The
// first that fits a type counts. See docs.apache.org's avro specification, "Logical Types".
func avroTypes(fields avroFields) []avro.SchemaOpt {
	var opts []avro.SchemaOpt
	add := func(logical, kind string, decode, encode func(any, *avro.SchemaNode) (any, error)) {
		opts = append(opts, avro.WithCustomType(avro.CustomType{LogicalType: logical, AvroType: kind, Decode: decode, Encode: encode}))
	}
	add("date", "int", decodeTime(time.DateOnly, 24*time.Hour), nil)
	add("time-millis", "int", decodeClock(time.Millisecond), encodeClock)
	add("time-micros", "long", decodeClock(time.Microsecond), encodeClock)
	for suffix, unit := range map[string]time.Duration{"millis": time.Millisecond, "micros": time.Microsecond, "nanos": time.Nanosecond} {
		add("timestamp-"+suffix, "long", decodeTime(time.RFC3339Nano, unit), nil)
		add("local-timestamp-"+suffix, "long", decodeTime(localFormat, unit), encodeLocal)
	}
	add("decimal", "bytes", decodeDecimal, encodeDecimal)
	add("decimal", "fixed", decodeDecimal, encodeDecimal)
	add("big-decimal", "bytes", decodeBigDecimal, encodeBigDecimal)
	add("uuid", "fixed", decodeUUID, encodeUUID)
	add("duration", "fixed", decodeDuration, encodeDuration)
	add("", "bytes", decodeBytes, encodeBytes)
	add("", "fixed", decodeBytes, encodeBytes)
	add("", "float", decodeFloat, encodeFloat)
	add("", "double", decodeFloat, encodeFloat)
	add("", "record", nil, fields.check)
	return opts
}

// localFormat is RFC 3339 without the zone, which a local timestamp does not have.
const localFormat = "2006-01-02T15:04:05.999999999"

// clockFormat is a time of day.
const clockFormat = "15:04:05.999999999"

func number(v any) (int64, error) {
	switch n := v.(type) {
	case int32:
		return int64(n), nil
	case int64:
		return n, nil
	default:
		return 0, fmt.Errorf("a %T in the place of a number", v)
	}
}

// decodeTime reads times as a number of units since the beginning of 1970 in UTC.
func decodeTime(format string, unit time.Duration) func(any, *avro.SchemaNode) (any, error) {
	perSecond := int64(time.Second / unit)
	return func(v any, _ *avro.SchemaNode) (any, error) {
		n, err := number(v)
		if err != nil {
			return nil, err
		}
		if unit > time.Second {
			return time.Unix(n*int64(unit/time.Second), 0).UTC().Format(format), nil
		}
		// Not in nanoseconds: these have room for the years from 1678 to 2262 only.
		return time.Unix(n/perSecond, n%perSecond*int64(unit)).UTC().Format(format), nil
	}
}

// decodeClock reads times of day as a number of units since midnight.
func decodeClock(unit time.Duration) func(any, *avro.SchemaNode) (any, error) {
	return func(v any, _ *avro.SchemaNode) (any, error) {
		n, err := number(v)
		if err != nil {
			return nil, err
		}
		if n < 0 || n >= int64(24*time.Hour/unit) {
			return nil, fmt.Errorf("%d is not a time of day in units of %s", n, unit)
		}
		return time.Unix(0, n*int64(unit)).UTC().Format(clockFormat), nil
	}
}

// encodeClock takes what decodeClock returns, and numbers.
func encodeClock(v any, _ *avro.SchemaNode) (any, error) {
	text, ok := v.(string)
	if !ok {
		return v, nil
	}
	at, err := time.Parse(clockFormat, text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time of day such as 15:04:05.999", text)
	}
	return at.Sub(at.Truncate(24 * time.Hour)), nil
}

// encodeLocal takes what decodeTime returns for a local timestamp, RFC 3339 and numbers.
func encodeLocal(v any, _ *avro.SchemaNode) (any, error) {
	if text, ok := v.(string); ok {
		if at, err := time.Parse(localFormat, text); err == nil {
			return at, nil
		}
	}
	return v, nil
}

func decodeUUID(v any, _ *avro.SchemaNode) (any, error) {
	b, ok := v.([]byte)
	if !ok || len(b) != 16 {
		return v, nil
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

// encodeUUID takes what decodeUUID returns.
func encodeUUID(v any, _ *avro.SchemaNode) (any, error) {
	text, ok := v.(string)
	if !ok {
		return v, nil
	}
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != 16 {
		return nil, fmt.Errorf("%q is not a UUID such as 00010203-0405-0607-0809-0a0b0c0d0e0f", oneLine(text))
	}
	return b, nil
}

func decodeDuration(v any, _ *avro.SchemaNode) (any, error) {
	b, ok := v.([]byte)
	if !ok || len(b) != 12 {
		return v, nil
	}
	d := avro.DurationFromBytes(b)
	return map[string]any{"months": d.Months, "days": d.Days, "milliseconds": d.Milliseconds}, nil
}

// encodeDuration takes what decodeDuration returns. An absent part is 0.
func encodeDuration(v any, _ *avro.SchemaNode) (any, error) {
	parts, ok := v.(map[string]any)
	if !ok {
		return v, nil
	}
	var d avro.Duration
	for name, field := range map[string]*uint32{"months": &d.Months, "days": &d.Days, "milliseconds": &d.Milliseconds} {
		part, present := parts[name]
		if !present {
			continue
		}
		n, ok := new(big.Int).SetString(fmt.Sprint(part), 10)
		if !ok || n.Sign() < 0 || n.BitLen() > 32 {
			return nil, fmt.Errorf("%s is %v, and has to be a number from 0 to %d", name, part, uint32(math.MaxUint32))
		}
		*field = uint32(n.Uint64())
	}
	b := d.Bytes()
	return b[:], nil
}

func decodeBytes(v any, _ *avro.SchemaNode) (any, error) {
	if b, ok := v.([]byte); ok {
		return base64.StdEncoding.EncodeToString(b), nil
	}
	return v, nil
}

func encodeBytes(v any, _ *avro.SchemaNode) (any, error) {
	text, ok := v.(string)
	if !ok {
		return v, nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not base64, which bytes are in JSON", oneLine(text))
	}
	return b, nil
}

// decodeFloat returns text for floats that JSON has no numbers for, as Protobuf's JSON does.
func decodeFloat(v any, _ *avro.SchemaNode) (any, error) {
	f := math.NaN()
	switch n := v.(type) {
	case float64:
		f = n
	case float32:
		f = float64(n)
	}
	return finite(f, v), nil
}

// finite returns v, or the text for a float that is no number in JSON.
func finite(f float64, v any) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	default:
		return v
	}
}

func encodeFloat(v any, _ *avro.SchemaNode) (any, error) {
	switch v {
	case "NaN":
		return math.Float64frombits(0x7ff8 << 48), nil // as Java writes it
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	default:
		return v, nil
	}
}
