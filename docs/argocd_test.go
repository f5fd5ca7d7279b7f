// Package docs_test runs what the documents show.
package docs_test

import (
	"os"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// TestHealthInArgoCD runs the script as Argo CD does, with the object as the global
// obj.
func TestHealthInArgoCD(t *testing.T) {
	script, err := os.ReadFile("argocd/health.lua")
	if err != nil {
		t.Fatal(err)
	}
	type conditions map[string]string // status by type
	for _, test := range []struct {
		name       string
		observed   int
		conditions conditions
		want       string
		message    string
	}{
		{"nobody has looked", -1, nil, "Progressing", "the operator has not seen this version yet"},
		{"an earlier version was seen", 1, conditions{"Ready": "True"}, "Progressing", "the operator has not seen this version yet"},
		{"it is rolled out", 2, conditions{"Ready": "False", "Reconciling": "True"}, "Progressing", "of Reconciling"},
		{"only somebody's act helps", 2, conditions{"Ready": "False", "Stalled": "True"}, "Degraded", "of Stalled"},
		{"pods end", 2, conditions{"Ready": "False", "Reconciling": "True", "Suspended": "True"}, "Progressing", "of Reconciling"},
		{"it is suspended", 2, conditions{"Ready": "True", "Suspended": "True"}, "Suspended", "of Suspended"},
		{"a partition is stuck", 2, conditions{"Ready": "True", "StuckPartition": "True"}, "Degraded", "of StuckPartition"},
		{"offsets are gone", 2, conditions{"Ready": "True", "OffsetsGone": "True"}, "Degraded", "of OffsetsGone"},
		{"it runs", 2, conditions{"Ready": "True", "KafkaReachable": "True"}, "Healthy", "of Ready"},
		{"the operator alone can't reach Kafka", 2, conditions{"Ready": "True", "KafkaReachable": "False"}, "Healthy", "of Ready"},
	} {
		t.Run(test.name, func(t *testing.T) {
			state := lua.NewState()
			defer state.Close()
			table := func(fields map[string]lua.LValue) *lua.LTable {
				out := state.NewTable()
				for name, value := range fields {
					out.RawSetString(name, value)
				}
				return out
			}
			list := state.NewTable()
			for kind, status := range test.conditions {
				list.Append(table(map[string]lua.LValue{
					"type": lua.LString(kind), "status": lua.LString(status), "message": lua.LString("of " + kind),
				}))
			}
			status := table(map[string]lua.LValue{"observedGeneration": lua.LNumber(test.observed)})
			if test.conditions != nil {
				status.RawSetString("conditions", list)
			}
			state.SetGlobal("obj", table(map[string]lua.LValue{
				"metadata": table(map[string]lua.LValue{"generation": lua.LNumber(2)}), "status": status,
			}))
			if err := state.DoString(string(script)); err != nil {
				t.Fatal(err)
			}
			health, ok := state.Get(-1).(*lua.LTable)
			if !ok {
				t.Fatalf("it returned %v", state.Get(-1))
			}
			if got := health.RawGetString("status").String(); got != test.want {
				t.Errorf("it is %s, want %s", got, test.want)
			}
			if got := health.RawGetString("message").String(); got != test.message {
				t.Errorf("it says %q, want %q", got, test.message)
			}
		})
	}
}
