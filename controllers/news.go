package controllers

import "github.com/millrace-dev/millrace/api/v1alpha1"

// news is what the operator has decided and done, and has not reported yet. If somebody
// else has written the object, the API server refuses the status. Then the next
// reconciliation, which has nothing left to do, reports the news.
type news struct {
	decision *v1alpha1.ScaleDecision // nil for none
	scaled   string                  // message about a changed number of pods, "" for none
}
