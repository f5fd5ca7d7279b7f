package cel

import (
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

const numbersJSON = `{
	"whole": 20, "half": 20.5, "negative": -3, "big": 18446744073709551615, "bigger": 9223372036854775808,
	"least": -9223372036854775808, "most": 9223372036854775807, "odd": 9007199254740993, "even": 9007199254740992.0,
	"oddDecimal": 9007199254740995.0, "long": 0.12345678901234567891}`

// TestMixedNumbers: JSON has one kind of number, whether or not it is written with a
// fraction.
func TestMixedNumbers(t *testing.T) {
	rec := &worker.Record{Offset: 7, Value: []byte(numbersJSON)}
	for _, expression := range []string{
		`json.half * 100 == 2050.0`, `json.half * 100 == 2050`, `json.whole * 100.0 == 2000.0`, `json.whole * 100.0 == 2000`,
		`json.whole * 100 == 2000`, `json.half + json.whole == 40.5`, `json.whole - json.half == -0.5`, `1 / json.half < 0.05`,
		`json.whole / 8 == 2`, `json.whole / 8.0 == 2.5`, `offset * 1.5 == 10.5`, `1.5 * offset == 10.5`, `offset + 1u == 8`,
		`2u - offset == -5`, `7u % offset == 0`, `-json.negative == 3`, `json.big - 1 == 18446744073709551614u`,
		`json.most + 1 == 9223372036854775808u`, `json.bigger - json.most == 1`, `json.least + json.big == 9223372036854775807`,
		`-json.bigger == -9223372036854775807 - 1`, `json.big / 5 == 3689348814741910323`, `json.big % 10 == 5`,
		`math.round(json.whole) == 20.0 && math.floor(json.half) == 20.0 && math.isFinite(json.whole) && math.ceil(1u + offset) == 8.0`,
		`json.negative % 2 == -1`, `json.negative / 2 == -1`, `json.whole + 0.5 > json.whole`,
		`[json.whole, json.half].map(x, x * 2) == [40, 41.0]`, `type(json.half * 2) == double && type(json.whole * 2) == int`,
	} {
		if outputs, err := process(t, config.CEL{Filter: expression}, rec); err != nil || len(outputs) != 1 {
			t.Errorf("%s: not true, error %v", expression, err)
		}
	}
	for expression, want := range map[string]string{
		`json.big + 1`:   "+ has a result that does not fit into 64 bits (json.big is 18446744073709551615): calculate with double(...)",
		`json.least - 1`: "- has a result that does not fit into 64 bits (json.least is -9223372036854775808)",
		`-json.big`:      "- has a result that does not fit into 64 bits (json.big is 18446744073709551615)",
		`json.whole / 0`: "/ by zero: test the divisor first", `json.big / 0`: "/ by zero", `json.whole % 0`: "% by zero",
		`7 / (json.whole - json.whole)`: "/ by zero: test the divisor first",
		`json.half % 2`:                 "% does not take (double, int)", `json.whole + null`: "+ does not take (int, null)",
		`json.whole < "2"`:       "< does not take (int, string)",
		`(0.0/0.0) < json.whole`: "NaN",
	} {
		if _, err := process(t, config.CEL{Value: expression}, rec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", expression, err, want)
		}
	}
}

// TestNumbersCompareByTheirDigits: numbers of different types, and decimals that no
// double can hold, are equal only if all of their digits are.
func TestNumbersCompareByTheirDigits(t *testing.T) {
	rec := &worker.Record{Offset: 7, Value: []byte(numbersJSON)}
	for _, expression := range []string{
		`offset == 7.0`, `offset != 7.5`, `7.0 == offset`, `offset == 7u`, `offset < 7.5 && offset > 6u`,
		`json.whole == 20.0 && json.whole == 20u`, `json.odd != json.even`, `json.odd > json.even`, `json.odd != 9007199254740992.0`,
		`json.big > 18446744073709551614u`, `json.big > json.least`, `json.big == 18446744073709551615u`, `json.most < json.bigger`,
		`json.bigger > 9223372036854774784.0 && json.big < 18446744073709551616.0`, `json.whole in [20.0]`, `json.half in [20.5, 7]`,
		`!(json.half in [20, 21])`, `json.big in [18446744073709551615u]`, `!(json.odd in [9007199254740992.0])`,
		`json.least < 1.0/0.0 && json.least > -1.0/0.0`, `json.oddDecimal == json.odd + 2 && json.odd + 2 == json.oddDecimal`,
		`json.oddDecimal < 9007199254740996`, `json.long == 0.12345678901234567891 && json.long <= 0.12345678901234567891`,
		`json.long != 0.12345678901234567890 && json.long > 0.12345678901234567890`, `json.long == json.long`, `json.long < json.half`,
	} {
		if outputs, err := process(t, config.CEL{Filter: expression}, rec); err != nil || len(outputs) != 1 {
			t.Errorf("%s: not true, error %v", expression, err)
		}
	}
	// A double is all that is left of either number, so the comparison is refused.
	rec = &worker.Record{Value: []byte(`{"a": 0.12345678901234567890, "b": 0.12345678901234567891}`)}
	for _, expression := range []string{"json.a == json.b", "json.a < json.b"} {
		want := "the numbers 0.12345678901234567890 and 0.12345678901234567891 are equal in an expression"
		if _, err := process(t, config.CEL{Filter: expression}, rec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", expression, err, want)
		}
	}
}
