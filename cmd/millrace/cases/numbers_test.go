package cases

import (
	"strings"
	"testing"
)

// TestNumbersKeepTheirDigits: a case is about the numbers that it writes, and not about the
// nearest doubles.
func TestNumbersKeepTheirDigits(t *testing.T) {
	_, err := Parse([]byte(`common: &common {z: 1.50}
cases:
- name: a
  in:
  - value: {n: 18446744073709551616, d: 0.1000000000000000055511151231257827, e: 1e400, list: [1.10, {x: -0.0}], s: "1.10", t: 1.2.3, h: "<b>", o: 0x10}
  - value: 1.10
  - {key: 9007199254740993, partition: 3, headers: {h: [1.0, 2]}}
`))
	if err == nil || !strings.Contains(err.Error(), "common") {
		t.Errorf("error %v, want one about the unknown field", err)
	}
	list, err := Parse([]byte(`cases:
- name: a
  in:
  - value: &v {n: 18446744073709551616, d: 0.1000000000000000055511151231257827, e: 1e400, list: [1.10, {x: -0.0}], s: "1.10", t: 1.2.3, h: "<b>", o: 0x10}
  - value: 1.10
  - {key: 9007199254740993, partition: 3, headers: {h: [1.0, 2]}}
  - value: *v
`))
	if err != nil {
		t.Fatal(err)
	}
	object := `{"d":0.1000000000000000055511151231257827,"e":1e400,"h":"<b>","list":[1.10,{"x":-0.0}],"n":18446744073709551616,"o":16,"s":"1.10","t":"1.2.3"}`
	for i, want := range []string{object, "1.10", "", object} {
		rec, err := list[0].In[i].Worker()
		if err != nil || string(rec.Value) != want {
			t.Errorf("record %d has the value %s, want %s; error %v", i, rec.Value, want, err)
		}
	}
	rec, err := list[0].In[2].Worker()
	if err != nil || string(rec.Key) != "9007199254740993" || rec.Partition != 3 || string(rec.Headers[0].Value) != "1.0" || string(rec.Headers[1].Value) != "2" {
		t.Errorf("record %+v, error %v", rec, err)
	}
}

// TestNamesAreAsWritten: YAML 1.1 takes n for false.
func TestNamesAreAsWritten(t *testing.T) {
	list, err := Parse([]byte("cases:\n- {name: a, in: [{key: n, value: {n: 1, y: {off: Y}, \"no\": yes, t: \"n\"}}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	rec, err := list[0].In[0].Worker()
	if want := `{"n":1,"no":true,"t":"n","y":{"off":"Y"}}`; err != nil || string(rec.Value) != want || string(rec.Key) != "n" {
		t.Errorf("key %s, value %s, want %s; error %v", rec.Key, rec.Value, want, err)
	}
}

// TestNumbersThatJSONDoesNotHave: the error names each field, and what to write.
func TestNumbersThatJSONDoesNotHave(t *testing.T) {
	_, err := Parse([]byte("cases:\n- name: a\n  in:\n  - value: {n: .nan, list: [1, -.inf]}\n  out:\n  - headers:\n      limit: +.Inf\n"))
	want := `line 4: cases[0].in[0].value.n: JSON has no number .nan: write null, or ".nan" in quotes for the text
line 4: cases[0].in[0].value.list[1]: JSON has no number -.inf: write null, or "-.inf" in quotes for the text
line 7: cases[0].out[0].headers.limit: JSON has no number +.Inf: write null, or "+.Inf" in quotes for the text`
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
	if _, err := Parse([]byte("cases: [{name: a, in: [{value: {n: \".nan\", s: a.nan}}]}]\n")); err != nil {
		t.Error(err)
	}
}

func TestEqualNumbers(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"1", "1", true},
		{"1", "1.0", true},
		{"1.10", "1.1", true},
		{"100", "1e2", true},
		{"100", "1.0E+2", true},
		{"0.01", "1e-2", true},
		{"0", "-0.0", true},
		{"0", "0e7", true},
		{"-1", "1", false},
		{"10", "1", false},
		{"0.1", "1", false},
		{"9007199254740993", "9007199254740992", false},
		{"9007199254740993.0", "9007199254740992.0", false},
		{"0.1", "0.1000000000000000055511151231257827", false},
		{"1e400", "1e401", false},
		{"1e400", "10e399", true},
		{"1e99999999999999999999", "1e99999999999999999999", true},
		{"1e99999999999999999999", "1", false},
	} {
		if got := equalNumbers(c.a, c.b); got != c.same {
			t.Errorf("%s and %s are the same: %t", c.a, c.b, got)
		}
	}
}

func TestOneDocument(t *testing.T) {
	_, err := Parse([]byte("cases:\n- {name: a, in: [{value: 1}]}\n---\ncases:\n- {name: b, in: [{value: 1}]}\n"))
	if err == nil || !strings.Contains(err.Error(), "line 3: another document begins here: write all cases in one list") {
		t.Errorf("error %v", err)
	}
}
