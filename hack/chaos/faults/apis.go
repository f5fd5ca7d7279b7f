package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/hack/chaos/proxy"
)

// writingAPIs are the requests that change something. It matters whether they were carried
// out, and in which order.
func writingAPIs(e *Env) []kmsg.Key {
	if e.TransactionalID == nil {
		return []kmsg.Key{kmsg.Produce, kmsg.OffsetCommit}
	}
	return []kmsg.Key{kmsg.Produce, kmsg.TxnOffsetCommit, kmsg.EndTxn, kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.InitProducerID}
}

// allAPIs are the requests of a worker.
func allAPIs(e *Env) []kmsg.Key {
	return slices.Concat(writingAPIs(e), []kmsg.Key{
		kmsg.InitProducerID, kmsg.Fetch, kmsg.Metadata, kmsg.ListOffsets, kmsg.OffsetFetch, kmsg.OffsetForLeaderEpoch,
		kmsg.FindCoordinator, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat, kmsg.LeaveGroup,
	})
}

// single makes a fault hit a share of the requests of one API, or of all APIs.
func single(f *proxy.Fault, pick *rand.Rand, of []kmsg.Key) (detail string) {
	if pick.IntN(3) == 0 {
		f.Chance = 0.01 + 0.2*pick.Float64()
		for _, key := range of {
			f.APIs = append(f.APIs, key.Int16())
		}
		return fmt.Sprintf(", %.0f%% of the requests", 100*f.Chance)
	}
	key := of[pick.IntN(len(of))]
	f.APIs, f.Chance = []int16{key.Int16()}, 0.1+0.9*pick.Float64()
	return fmt.Sprintf(", %.0f%% of the requests %s", 100*f.Chance, key.Name())
}
