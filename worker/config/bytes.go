package config

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a count of bytes. Files hold it in the notation of Kubernetes' quantities,
// such as 64Mi, 1G, 512k or 1048576.
type Bytes int64

// byteUnits lists the suffixes in the order in which String tries them.
var byteUnits = []struct {
	suffix string
	bytes  int64
}{
	{"Ei", 1 << 60},
	{"Pi", 1 << 50},
	{"Ti", 1 << 40},
	{"Gi", 1 << 30},
	{"Mi", 1 << 20},
	{"Ki", 1 << 10},
	{"E", 1e18},
	{"P", 1e15},
	{"T", 1e12},
	{"G", 1e9},
	{"M", 1e6},
	{"k", 1e3},
}

// String formats b with the largest unit that divides it.
func (b Bytes) String() string {
	for _, unit := range byteUnits {
		if b != 0 && int64(b)%unit.bytes == 0 {
			return strconv.FormatInt(int64(b)/unit.bytes, 10) + unit.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// MarshalJSON returns b in a form from which UnmarshalJSON gets the same value.
func (b Bytes) MarshalJSON() ([]byte, error) { return json.Marshal(b.String()) }

// UnmarshalJSON reads a number or a string with a unit.
func (b *Bytes) UnmarshalJSON(content []byte) error {
	text := string(content)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(content, &text); err != nil {
			return err
		}
	}
	parsed, err := parseBytes(text)
	if err != nil {
		return err
	}
	*b = parsed
	return nil
}

func parseBytes(text string) (Bytes, error) {
	digits, factor := text, int64(1)
	for _, unit := range byteUnits {
		if number, ok := strings.CutSuffix(text, unit.suffix); ok {
			digits, factor = number, unit.bytes
			break
		}
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not a number of bytes: write a whole number of at least 0, "+
			"alone or with one of the units k, M, G, T, Ki, Mi, Gi, Ti, such as 64Mi", text)
	}
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || number > math.MaxInt64/factor {
		return 0, fmt.Errorf("%q is too large: write less than 8Ei", text)
	}
	return Bytes(number * factor), nil
}
