package kafka

import "testing"

// A failure that stays the same is said again now and then.
func TestLastingTroubleIsNewsAgain(t *testing.T) {
	var trouble writeTrouble
	if !trouble.news("a") || trouble.news("a") || !trouble.news("b") {
		t.Error("a failure is news when it is another one than before")
	}
	trouble.logged = trouble.logged.Add(-troubleRepeated)
	if !trouble.news("b") || trouble.news("b") {
		t.Errorf("a failure that has lasted is news every %v", troubleRepeated)
	}
}
