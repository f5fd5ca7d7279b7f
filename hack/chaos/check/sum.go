package check

import (
	"cmp"
	"slices"
)

// Add adds the figures of another episode.
func (f *Figures) Add(other Figures) {
	f.Records += other.Records
	f.Outputs += other.Outputs
	f.DeadLetters += other.DeadLetters
	f.Duplicates += other.Duplicates
	f.Crossed += other.Crossed
	f.Commits += other.Commits
	f.CommitsBack += other.CommitsBack
	f.Transactions += other.Transactions
	f.Aborted += other.Aborted
	f.LongestTransaction = max(f.LongestTransaction, other.LongestTransaction)
	f.MostTransactions = max(f.MostTransactions, other.MostTransactions)
	f.OldestOpen = max(f.OldestOpen, other.OldestOpen)
}

// Add adds the violations of another episode.
func (v Violations) Add(other Violations) {
	for rule, b := range other {
		sum := v[rule]
		sum.Count += b.Count
		sum.First = append(sum.First, b.First[:min(len(b.First), kept-min(kept, len(sum.First)))]...)
		v[rule] = sum
	}
}

// AddCauses adds up the causes of two episodes by their kinds.
func AddCauses(a, b []Cause) []Cause {
	for _, cause := range b {
		i := slices.IndexFunc(a, func(c Cause) bool { return c.Kind == cause.Kind })
		if i < 0 {
			a = append(a, cause)
			continue
		}
		a[i].Faults += cause.Faults
		a[i].Duplicates += cause.Duplicates
		a[i].Most = max(a[i].Most, cause.Most)
		a[i].Bound += cause.Bound
	}
	slices.SortFunc(a, func(x, y Cause) int { return cmp.Compare(y.Duplicates, x.Duplicates) })
	return a
}

// AddStalls adds up the stalls of two episodes.
func AddStalls(a, b []Stall) []Stall {
	for _, stall := range b {
		i := slices.IndexFunc(a, func(s Stall) bool { return s.Kind == stall.Kind && s.Alone == stall.Alone })
		if i < 0 {
			a = append(a, stall)
			continue
		}
		a[i].Faults += stall.Faults
		a[i].Starved += stall.Starved
		a[i].Moved.Add(stall.Moved)
		a[i].Stayed.Add(stall.Stayed)
	}
	slices.SortFunc(a, compareStalls)
	return a
}

// Add adds the gaps of another episode.
func (g *Gaps) Add(other Gaps) {
	g.All = slices.Concat(g.All, other.All)
	g.sum()
}

// compareStalls puts faults alone first.
func compareStalls(a, b Stall) int {
	if a.Alone != b.Alone {
		if a.Alone {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.Kind, b.Kind)
}
