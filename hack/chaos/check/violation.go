package check

import (
	"maps"
	"time"
)

// Rule is what a violation breaks.
type Rule string

// The rules.
const (
	Lost        Rule = "lost"              // an output or a dead letter is missing
	Doubled     Rule = "doubled"           // a copy that no fault explains, or any under ExactlyOnce
	Reordered   Rule = "reordered"         // the ordering is not kept
	WrongBytes  Rule = "wrong bytes"       // key, value or headers
	WrongPlace  Rule = "wrong partition"   // not the partition of the key
	Unexpected  Rule = "unexpected"        // an output or a dead letter that must not be
	CommitAhead Rule = "commit ahead"      // a commit covers what could not be read yet
	CommitBack  Rule = "commit moved back" // a committed offset became lower
	Stuck       Rule = "stuck"             // the group did not get to the end of its input
	Stalled     Rule = "stalled"           // longer than the bound for a fault by itself
	Memory      Rule = "memory"            // a process takes more than the bound
	Harness     Rule = "harness"           // the run itself did not work
)

// Violation is a broken rule with its evidence.
type Violation struct {
	At     time.Time `json:"at"`
	Detail string    `json:"detail"`
}

// Broken counts the violations of a rule, and holds the first ones.
type Broken struct {
	Count int64       `json:"count"`
	First []Violation `json:"first"`
}

// Violations are the rules that are broken.
type Violations map[Rule]Broken

// kept is how many violations of a rule are described.
const kept = 20

func (v Violations) add(rule Rule, at time.Time, detail string) {
	b := v[rule]
	if b.Count++; len(b.First) < kept {
		b.First = append(b.First, Violation{At: at, Detail: detail})
	}
	v[rule] = b
}

func (v Violations) clone() Violations { return maps.Clone(v) }
