package dial

import (
	"net/netip"
	"testing"
)

// FuzzRule takes any text for an entry of a list of brokers.
func FuzzRule(f *testing.F) {
	for _, entry := range []string{"10.0.0.0/8", "*.kafka.example:9093", "[::1]:9092", "kafka", "a:0", "*", "::ffff:10.0.0.1", ""} {
		f.Add(entry)
	}
	f.Fuzz(func(_ *testing.T, entry string) {
		if r, err := parseRule(entry); err == nil {
			_ = r.matches([]string{"kafka", entry}, netip.MustParseAddrPort("10.0.0.1:9092"))
		}
	})
}
