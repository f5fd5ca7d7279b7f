package produce

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
)

// TestAClockThatIsSetBackSilencesNoSender: only a broker asks for a time without requests.
func TestAClockThatIsSetBackSilencesNoSender(t *testing.T) {
	s := newSender(&Producer{}, 1)
	now := time.Now()
	if left := s.quiet(now); left > 0 {
		t.Errorf("before the first request, the sender is quiet for %v", left)
	}
	s.quietUntil.Store(&now)
	if left := s.quiet(testkit.SetBack(t, now, time.Hour)); left > 0 {
		t.Errorf("the sender is quiet for %v", left)
	}
}
