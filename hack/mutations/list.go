package main

// mutations are in the order of DESIGN.md's invariants. A line that moves or changes
// there has to change here too; TestMutationsApply says so.
var mutations = []mutation{
	{
		invariant: 1, name: "watermark-passes-unsettled", test: "TestTrackerAgainstModel",
		file: "worker/internal/offsets/tracker.go",
		old:  `for t.head != nil && t.head.settled {`,
		new:  `for t.head != nil {`,
	},
	{
		invariant: 1, name: "settled-above-the-watermark-is-forgotten", test: "TestTrackerAgainstModel",
		file: "worker/internal/offsets/tracker.go",
		old:  `state.add(from, s.next)`,
		new:  `_ = from`,
	},
	{
		invariant: 1, name: "resumed-map-is-forgotten", test: "TestRandomSchedules", in: "worker/internal/model/protocol",
		file: "worker/internal/offsets/tracker.go",
		old:  `state.add(max(r.First, t.position), r.Next)`,
		new:  `_ = r`,
	},
	{
		invariant: 2, name: "any-assignment-may-commit", test: "TestEarlierAssignmentIsOver",
		file: "worker/internal/kafka/group/state.go",
		old:  `func (s *state) owns(a *Assignment) bool { return s.owned[a.Partition] == a }`,
		new:  `func (s *state) owns(a *Assignment) bool { return s.owned[a.Partition] != nil }`,
	},
	{
		invariant: 2, name: "late-results-count", test: "TestLateResultsOfALostAssignmentAreDropped",
		file: "worker/internal/engine/attempt.go",
		old:  `if c.Cancelled.Load() && !a.settler.counts(c, i) {`,
		new:  `if c == nil && !a.settler.counts(c, i) {`,
	},
	{
		invariant: 3, name: "one-partition-takes-all", test: "TestBoundIsShared",
		file: "worker/internal/engine/bounds.go",
		old:  `free := max(b.own-n, 0) + max((b.left-b.borrowed(n))/2, 0)`,
		new:  `free := max(b.own-n, 0) + max(b.left-b.borrowed(n), 0)`,
	},
	{
		invariant: 3, name: "failing-keys-stay-in-their-lane", test: "TestFailingKeysHoldUpNoOthers",
		file: "worker/internal/dispatch/finish.go",
		old:  `case l.lanes.keys != nil && !l.isAside:`,
		new:  `case l.lanes.keys != nil && l == nil:`,
	},
	{
		invariant: 4, name: "later-records-overtake", test: "TestOrderIsKeptUnderRandomFailures",
		file: "worker/internal/dispatch/finish.go",
		old:  `if it.lane != nil && it.lane.isBlocked() {`,
		new:  `if it.lane != nil && it.lane.isBlocked() && it.lane.isAside {`,
	},
	{
		invariant: 5, name: "empty-becomes-null", test: "TestRandomMessagesAreReadByOthers",
		file: "worker/internal/kafka/batch/encode_record.go",
		old:  `if field == nil {`,
		new:  `if len(field) == 0 {`,
	},
	{
		invariant: 5, name: "sign-bit-stays", test: "TestPartitionForIsThatOfOtherClients",
		file: "worker/internal/kafka/produce/partitioner.go",
		old:  `return int32(Murmur2(key)&0x7fffffff) % count`,
		new:  `return int32(Murmur2(key) % uint32(count))`,
	},
	{
		invariant: 6, name: "first-of-a-batch-is-charged", test: "TestABatchFailsOnlyTheRecordAtFault",
		file: "worker/internal/engine/attempt.go",
		old:  `case len(a.recs) == 1:`,
		new:  `case len(a.recs) >= 1:`,
	},
	{
		invariant: 6, name: "one-crash-is-proof", test: "TestRecordIsGivenUpForItsOwnCrashesOnly",
		file: "worker/internal/engine/suspect.go",
		old:  `const crashesAlone = 2`,
		new:  `const crashesAlone = 1`,
	},
	{
		invariant: 6, name: "panics-escape", test: "TestPanicsAreErrors",
		file: "worker/internal/usercode/panic.go",
		old:  `*err = &PanicError{Value: v, Stack: debug.Stack()}`,
		new:  `panic(&PanicError{Value: v, Stack: debug.Stack()})`,
	},
	{
		invariant: 7, name: "outages-count-as-refusals", test: "TestOutageBetweenRefusalsDoesNotCount",
		file: "worker/internal/kafka/produce/giveup.go",
		old:  `r.total += min(now.Sub(r.last), longestRefusal)`,
		new:  `r.total += now.Sub(r.last)`,
	},
	{
		invariant: 7, name: "partitions-stay-open", test: "TestRefusedOutputClosesWhatIsSettled",
		file: "worker/internal/engine/drain.go",
		old:  `r.search.markClosed()`,
		new:  `_ = r.search.markClosed`,
	},
	{
		invariant: 8, name: "flush-is-not-awaited", test: "TestWorkers", in: "worker/internal/model",
		file: "worker/internal/engine/transaction.go",
		old:  `if err := t.producer.FlushCut(ctx); err != nil {`,
		new:  `if err := context.Cause(ctx); err != nil {`,
	},
	{
		invariant: 8, name: "two-clusters-in-one-transaction", test: "TestValidateTransaction",
		file: "worker/config/validate_transaction.go",
		old:  `if c.Output.Kafka != nil {`,
		new:  `if c.OutputElsewhere() {`,
	},
	{
		invariant: 8, name: "offsets-before-their-results", test: "TestOffsetsAndResultsAreCommittedTogether",
		file: "worker/internal/engine/transaction.go",
		old:  `if err := t.producer.FlushCut(ctx); err != nil {`,
		new:  `if err := ctx.Err(); err != nil {`,
	},
	{
		invariant: 8, name: "a-map-is-left-out", test: "TestMapWithoutRoomIsNotLeftOut",
		file: "worker/internal/engine/commit.go",
		old:  `if offset != p.commit.offset || d.metadata != p.commit.metadata || c.exact != nil && d.lacksMap() {`,
		new:  `if offset != p.commit.offset || d.metadata != p.commit.metadata {`,
	},
	{
		invariant: 8, name: "a-cut-divides-a-record", test: "TestResultsOfARecordAreCommittedTogether",
		file: "worker/internal/engine/attempt.go",
		old:  `d := a.ownDoor()`,
		new:  `d := &door{}`,
	},
	{
		invariant: 8, name: "postponed-results-outlive-their-partition", test: "TestPostponedResultsOfAGivenUpPartitionAreNotWritten",
		file: "worker/internal/engine/transaction.go",
		old:  `t.discard(over)`,
		new:  `_ = over`,
	},
	{
		invariant: 9, name: "retention-is-silent", test: "TestRetentionOvertakesTheWorker",
		file: "worker/internal/engine/gaps.go",
		old:  `g.losses.report(r.id, first-from-settled(from, first)-counted, from, first, workerstatus.LossRetention, err)`,
		new:  `_, _ = counted, workerstatus.LossRetention`,
	},
	{
		invariant: 9, name: "offset-of-a-cut-log-is-kept", test: "TestCommitBeyondTheEnd",
		file: "worker/internal/engine/gaps.go",
		old:  `g.turn(r, &turning{restart: true, at: to, origin: r.origin})`,
		new:  `g.turn(r, &turning{restart: true, at: from, origin: r.origin})`,
	},
}
