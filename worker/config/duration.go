package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Duration is a time.Duration that files hold like "30s" or "1m30s".
type Duration struct{ time.Duration }

// MarshalJSON returns d in a form from which UnmarshalJSON gets the same value.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON refuses numbers without a unit and negative durations.
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
