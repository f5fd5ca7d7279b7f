package signal

import "testing"

func TestNotificationsBeforeAReceiveCountAsOne(t *testing.T) {
	s := New()
	if s.Pending() {
		t.Error("a new signal is pending")
	}
	for range 3 {
		s.Notify()
	}
	if !s.Pending() {
		t.Error("a notified signal is not pending")
	}
	<-s
	if s.Pending() {
		t.Error("a signal is pending after its receive, want three notifications to count as one")
	}
	select {
	case <-s:
		t.Error("received twice after three notifications, want once")
	default:
	}
}
