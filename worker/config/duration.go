package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Duration is a time.Duration that is written like "30s" or "1m30s".
type Duration struct{ time.Duration }

// MarshalJSON writes d such that it is read back unchanged.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON refuses numbers without a unit and what is below 0.
func (d *Duration) UnmarshalJSON(content []byte) error {
	var text string
	if err := json.Unmarshal(content, &text); err != nil {
		return fmt.Errorf("%s has no unit: write a duration like 30s or 100ms", content)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a duration: write one like 30s, 1m30s or 100ms", text)
	}
	if parsed < 0 {
		return errors.New(text + " is negative: write a duration of at least 0s")
	}
	d.Duration = parsed
	return nil
}
