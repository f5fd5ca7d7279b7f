package broker

import (
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// scripts are the requests to both.
var scripts = []struct {
	name string
	run  func(*talk)
}{
	{"sequences", func(k *talk) {
		id := k.init("init", NoIdentity)
		k.add("add", id)
		k.produce("first", id, 0)
		k.produce("the first again", id, 0)
		k.produce("beyond a gap", id, 5)
		k.produce("second", id, 1)
		k.produceTo("another partition", id, 0, 1)
		k.produce("a later epoch", Identity{id.Producer, id.Epoch + 1}, 0)
		k.end("commit", id, true)
		k.seen("committed")
	}},
	{"not added", func(k *talk) {
		if k.version == 1 {
			id := k.init("init", NoIdentity)
			k.produce("without AddPartitionsToTxn", id, 0)
			k.add("add of an unknown producer", Identity{id.Producer + 1000, 0})
			k.add("add of another epoch", Identity{id.Producer, id.Epoch + 1})
		}
	}},
	{"ends", func(k *talk) {
		id := k.init("init", NoIdentity)
		k.end("commit nothing", id, true)
		id = k.end("abort nothing", id, false)
		k.add("add", id)
		k.produce("write", id, 0)
		next := k.end("commit", id, true)
		k.end("commit again", id, true)
		k.end("abort after the commit", id, false)
		k.end("commit under an unknown producer", Identity{id.Producer + 1000, 0}, true)
		k.add("add", next)
		k.produce("write the next", next, sequenceAfter(k, 1))
		k.seen("the next is open")
		next = k.end("abort", next, false)
		k.seen("the next is aborted")
		if k.version >= 2 {
			k.produce("under the epoch before", id, 1)
			k.end("commit under the epoch before", id, true)
		}
		k.end("commit nothing after an abort", next, true)
	}},
	{"takeover", func(k *talk) {
		id := k.init("init", NoIdentity)
		k.add("add", id)
		k.produce("write", id, 0)
		k.fenceOnce("another init while it is open", NoIdentity)
		successor := k.init("another init", NoIdentity)
		k.seen("aborted")
		k.produce("the fenced one writes", id, 1)
		k.end("the fenced one commits", id, true)
		k.init("the fenced one goes on", id)
		k.add("add", successor)
		k.produce("the successor writes", successor, 0)
		k.end("the successor commits", successor, true)
		k.seen("the successor's")
	}},
	{"going on", func(k *talk) {
		id := k.init("init", NoIdentity)
		second := k.init("go on after nothing", id)
		k.init("the same request again", id)
		k.add("add", second)
		k.produce("write", second, 0)
		second = k.end("commit", second, true)
		third := k.init("go on after a commit", second)
		k.init("an epoch of before", id)
		k.add("add", third)
		k.produce("write", third, 0)
		k.fenceOnce("go on while it is open", third)
		k.init("go on once more", third)
		k.init("start over", NoIdentity)
	}},
	{"timeout", func(k *talk) {
		id := k.initFor("init", NoIdentity, time.Second)
		k.add("add", id)
		k.produce("write", id, 0)
		k.awaitAborted()
		k.produce("write after the timeout", id, 1)
		k.end("commit after the timeout", id, true)
		k.init("go on after the timeout", id)
		k.init("start over", NoIdentity)
		k.seen("after the timeout")
	}},
	{"offsets", func(k *talk) {
		k.join()
		id := k.init("init", NoIdentity)
		k.addOffsets("add offsets", id)
		k.commitIn("another generation", id, Member{k.member.ID, k.member.Generation + 1}, 5)
		k.commitIn("another member", id, Member{"nobody", k.member.Generation}, 5)
		k.commitIn("another epoch", Identity{id.Producer, id.Epoch + 1}, k.member, 5)
		k.commitIn("commit", id, k.member, 5)
		k.committed("while it is open")
		next := k.end("commit", id, true)
		k.committed("after the end")
		k.commitIn("of the transaction before", id, Member{k.member.ID, k.member.Generation + 1}, 3)
		k.addOffsets("add offsets", next)
		k.commitIn("next", next, k.member, 7)
		next = k.end("abort", next, false)
		k.committed("after the abort")
		k.addOffsets("add offsets", next)
		k.commitIn("before a plain commit", next, k.member, 8)
		k.commit("a plain commit", k.member, 6)
		next = k.end("commit", next, true)
		k.committed("the later commit wins")
		k.commit("plain", k.member, 9)
		k.addOffsets("add offsets", next)
		k.commitIn("after a plain commit", next, k.member, 10)
		k.end("commit", next, true)
		k.committed("the later one wins again")
	}},
	{"group", func(k *talk) {
		k.join()
		k.beat("heartbeat", k.member)
		k.beat("another member", Member{"nobody", k.member.Generation})
		k.beat("another generation", Member{k.member.ID, k.member.Generation + 1})
		k.commit("another generation", Member{k.member.ID, k.member.Generation + 1}, 1)
		k.commit("another member", Member{"nobody", k.member.Generation}, 1)
		k.commit("commit", k.member, 2)
		k.committed("committed")
		former := k.member
		k.leave()
		k.beat("after leaving", former)
		k.commit("after leaving", former, 3)
		k.commit("without a member", Member{Generation: -1}, 4)
		k.committed("committed")
	}},
}

// sequenceAfter returns the sequence of the record after n others: each epoch begins at 0.
func sequenceAfter(k *talk, n int32) int32 {
	if k.version >= 2 {
		return 0
	}
	return n
}

// seen notes how far readers of committed records can read.
func (k *talk) seen(what string) {
	k.t.Helper()
	var stable, end int64
	for begun := time.Now(); time.Since(begun) < 5*time.Second; time.Sleep(20 * time.Millisecond) {
		if stable, end = k.offset(1), k.offset(0); stable == end || what == "the next is open" {
			break // the markers are there
		}
	}
	aborted := k.aborted(end - 2)
	for begun := time.Now(); strings.Contains(what, "aborted") && aborted == 0 && time.Since(begun) < 5*time.Second; {
		time.Sleep(20 * time.Millisecond)
		aborted = k.aborted(end - 2)
	}
	k.answers = append(k.answers, fmt.Sprintf("%s: stable up to %d of %d, aborted %d", what, stable, end, aborted))
}

// awaitAborted waits until the coordinator has aborted the transaction.
func (k *talk) awaitAborted() {
	k.t.Helper()
	for begun := time.Now(); k.offset(1) < k.offset(0); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			k.t.Fatal("the transaction does not time out")
		}
	}
}

// offset returns the end of partition 0, at an isolation level.
func (k *talk) offset(isolation int8) int64 {
	k.t.Helper()
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.IsolationLevel = -1, isolation
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = k.topic
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Timestamp = -1
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return once[*kmsg.ListOffsetsResponse](k, req).Topics[0].Partitions[0].Offset
}

// aborted returns how many aborted transactions a fetch from an offset names.
func (k *talk) aborted(from int64) int {
	k.t.Helper()
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaID, req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel, req.SessionEpoch = -1, 100, 1, 1<<20, 1, -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic = k.topic
	p := kmsg.NewFetchRequestTopicPartition()
	p.PartitionMaxBytes, p.CurrentLeaderEpoch, p.FetchOffset = 1<<20, -1, from
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return len(once[*kmsg.FetchResponse](k, req).Topics[0].Partitions[0].AbortedTransactions)
}

// join makes k.member a member of the group with an assignment.
func (k *talk) join() {
	k.t.Helper()
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.ProtocolType, req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = k.group, "consumer", 30_000, 30_000
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "any"}}
	code := func(r *kmsg.JoinGroupResponse) Code { return r.ErrorCode }
	res, c := ask(k, req, code)
	k.note("join without an id", c)
	req.MemberID = res.MemberID
	res, c = ask(k, req, code)
	k.note(fmt.Sprintf("join generation %d", res.Generation), c)
	k.member = Member{res.MemberID, res.Generation}
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Group, sync.MemberID, sync.Generation, sync.ProtocolType, sync.Protocol = k.group, res.MemberID, res.Generation, kmsg.StringPtr("consumer"), res.Protocol
	k.commit("before the assignment", k.member, 1)
	sync.GroupAssignment = []kmsg.SyncGroupRequestGroupAssignment{{MemberID: res.MemberID, MemberAssignment: []byte{1}}}
	_, c = ask(k, sync, func(r *kmsg.SyncGroupResponse) Code { return r.ErrorCode })
	k.note("sync", c)
}

func (k *talk) beat(what string, m Member) {
	k.t.Helper()
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation = k.group, m.ID, m.Generation
	k.note(what, once[*kmsg.HeartbeatResponse](k, req).ErrorCode)
}

func (k *talk) leave() {
	k.t.Helper()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = k.group
	req.Members = []kmsg.LeaveGroupRequestMember{{MemberID: k.member.ID}}
	k.note("leave", once[*kmsg.LeaveGroupResponse](k, req).ErrorCode)
}

func (k *talk) commit(what string, m Member, offset int64) {
	k.t.Helper()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.MemberID, req.Generation = k.group, m.ID, m.Generation
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic = k.topic
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Offset = offset
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	_, code := ask(k, req, func(r *kmsg.OffsetCommitResponse) Code { return r.Topics[0].Partitions[0].ErrorCode })
	k.note(what, code)
}

func (k *talk) addOffsets(what string, id Identity) {
	k.t.Helper()
	if k.version >= 2 {
		return
	}
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = k.id, id.Producer, id.Epoch, k.group
	_, code := ask(k, req, func(r *kmsg.AddOffsetsToTxnResponse) Code { return r.ErrorCode })
	k.note(what, code)
}

func (k *talk) commitIn(what string, id Identity, m Member, offset int64) {
	k.t.Helper()
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = k.id, k.group, id.Producer, id.Epoch
	req.MemberID, req.Generation = m.ID, m.Generation
	t := kmsg.NewTxnOffsetCommitRequestTopic()
	t.Topic = k.topic
	p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	p.Offset = offset
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	_, code := ask(k, req, func(r *kmsg.TxnOffsetCommitResponse) Code { return r.Topics[0].Partitions[0].ErrorCode })
	k.note(what, code)
}

// committed notes the group's offset. After the end of a transaction it waits until the
// offset is stable.
func (k *talk) committed(what string) {
	k.t.Helper()
	stable, code := k.fetchOffset(true)
	for begun := time.Now(); code == UnstableOffsetCommit && what != "while it is open" && time.Since(begun) < 10*time.Second; {
		time.Sleep(20 * time.Millisecond)
		stable, code = k.fetchOffset(true)
	}
	k.note(fmt.Sprintf("%s: stable %d", what, stable), code)
	any, code := k.fetchOffset(false)
	k.note(fmt.Sprintf("%s: any %d", what, any), code)
}

func (k *talk) fetchOffset(stable bool) (int64, Code) {
	k.t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group, req.RequireStable = k.group, stable
	req.Topics = []kmsg.OffsetFetchRequestTopic{{Topic: k.topic, Partitions: []int32{0}}}
	res, _ := ask(k, req, func(r *kmsg.OffsetFetchResponse) Code { return r.ErrorCode })
	p := res.Topics[0].Partitions[0]
	return p.Offset, p.ErrorCode
}
