package protocol

import (
	"fmt"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/model/broker"
)

const (
	group    = "group"
	noRecord = -1
	nobody   = -1

	// The largest scope, so that a state has its place in memory for good.
	maxPartitions = 3
	maxRecords    = 4
)

var output = broker.Partition{Topic: "out"}

func input(p int8) broker.Partition { return broker.Partition{Topic: "in", ID: int32(p)} }

// letters are the results of the records, and the names of the members.
const letters = "abcdefghijklmnopqrstuvwxyz"

func name(member int8) string { return letters[member : member+1] }

// id is the transactional id of a partition.
func id(p int8) string { return "0123"[p : p+1] }

// scope bounds a search or a schedule.
type scope struct {
	version    int
	members    int8
	partitions int8
	records    int8 // of each partition
	ordered    bool // the records of a partition are processed in their order
	filtered   bool // the first record of each partition has no result
	crashes    int8 // of members, or their expulsion while they live
	losses     int8 // of requests or answers
	moves      int8 // of partitions to another member
	expiries   int8 // of the transactions of live members
	evicts     bool // the new owner of a partition ends the transaction of its id
}

func (s *scope) String() string {
	text := fmt.Sprintf("version %d, %d members, %d partitions, %d records, crashes %d, losses %d, moves %d, expiries %d",
		s.version, s.members, s.partitions, s.records, s.crashes, s.losses, s.moves, s.expiries)
	for _, option := range []struct {
		set  bool
		text string
	}{{s.ordered, ", ordered"}, {s.filtered, ", filtered"}, {s.evicts, ", evicts"}} {
		if option.set {
			text += option.text
		}
	}
	return text
}

// all returns all records of a partition.
func (s *scope) all() set { return 1<<s.records - 1 }

// withResults returns those that have a result.
func (s *scope) withResults() set {
	if s.filtered {
		return s.all() &^ 1
	}
	return s.all()
}

// result returns the content of a record's result, place the record of a result.
func (s *scope) result(record int8) string { return letters[record : record+1] }

func (s *scope) place(b *broker.Batch) (partition int8, record int) {
	number := int8(b.Bytes[0] - letters[0])
	return number / s.records, int(number % s.records)
}

// rules are the rules of the design that a search breaks; the zero value breaks none.
type rules struct {
	earlyCheckpoint   bool // the checkpoint is taken at the cut, and counts results under way
	ungated           bool // results after the cut are sent before the transaction ends
	openingPlain      bool // the first commit of a partition is not part of a transaction
	unstable          bool // offsets that are about to be replaced are read
	anyGeneration     bool // offsets are committed without the member's generation
	guessCommitted    bool // an EndTxn without an answer counts as done
	repeatsOnVersion1 bool // requests without an answer are repeated on version 1
	quietForget       bool // a partition is given up, and its results are still written
	unfenced          bool // a partition is released while its offset is being committed
	staleMap          bool // reading goes on without the map of settled offsets
}

// world is a state of the members, the network and the cluster.
type world struct {
	scope   *scope
	broken  *rules
	memory  *memory
	cluster *broker.Cluster
	members []member
	network []request
	// assigned is the member that the group has assigned each partition to, wanted
	// the one that shall have it.
	assigned, wanted [maxPartitions]int8

	crashes, losses, moves, expiries int8 // left

	decided bool // the last step may have decided about a transaction, or committed outside of one
}

func newWorld(s *scope, broken *rules, memory *memory) *world {
	w := &world{
		scope: s, broken: broken, memory: memory, cluster: broker.New(s.version),
		crashes: s.crashes, losses: s.losses, moves: s.moves, expiries: s.expiries,
	}
	w.cluster.CreateTopic(output.Topic, 1)
	for i := range s.members {
		w.members = append(w.members, newMember(i))
		w.cluster.Group(group).Admit(name(i))
	}
	// The first member has all partitions, so that each can move.
	for p := s.partitions; p < maxPartitions; p++ {
		w.assigned[p], w.wanted[p] = nobody, nobody
	}
	w.rebalance()
	return w
}

// copy makes w a copy of from, in the memory that w has.
func (w *world) copy(from *world) {
	cluster, members, network := w.cluster, append(w.members[:0], from.members...), append(w.network[:0], from.network...)
	cluster.Copy(from.cluster)
	*w = *from
	w.cluster, w.members, w.network = cluster, members, network
}

func (w *world) generation() int32 { return w.cluster.Group(group).Generation }

// rebalance begins the group's next generation, in which each partition that nobody
// holds any more belongs to the member that shall have it.
func (w *world) rebalance() {
	w.cluster.Group(group).Generation++
	for i := range w.members {
		if m := &w.members[i]; m.isIdle() && !slices.Contains(w.assigned[:], m.number) {
			m.generation = w.generation() // when it learns of it makes no difference
		}
	}
}

// isIdle reports whether the member holds no partition.
func (m *member) isIdle() bool {
	for p := range m.holds {
		if m.holds[p].state != none {
			return false
		}
	}
	return true
}

// member is a worker's member of the group.
type member struct {
	number     int8
	crashed    bool
	left       bool // it knows that it is no member any more
	generation int32
	holds      [maxPartitions]holding

	id       string // transactional; "" for none
	identity broker.Identity
	former   broker.Identity // to be continued by the next InitProducerId
	phase    phase
	asks     bool // an answer about the transaction is awaited
	sending  int8 // the record whose result is under way, noRecord for none
	zombie   bool // it has identified itself after its expulsion
	used     bool // something was sent in the open transaction
	sequence int32
	offsets  []broker.PartitionOffset // of the commit under way; never changed in place
	askedIn  int32                    // the generation of that commit
}

// phase is a step of a member's transaction.
type phase uint8

const (
	identify phase = iota // needs an identity
	open                  // results are written
	flush                 // results before the cut are written
	commit                // its offsets are being committed
	end                   // the transaction is being ended
)

// holding is a member's hold on a partition.
type holding struct {
	state   holdingState
	revoked bool
	evicted bool  // the transaction of the last owner's id was ended
	from    point // where reading began
	records [maxRecords]status
}

type holdingState uint8

const (
	none    holdingState = iota
	acquire              // its offset has to be read
	opening              // its first commit is under way
	reading
)

// status is that of a record at its member.
type status uint8

const (
	skipped status = iota // settled before
	waiting
	sent
	acked   // and part of the open transaction
	offered // acked, and in the offsets of the transaction that ends
	done
)

func newMember(number int8) member {
	return member{number: number, sending: noRecord, identity: broker.NoIdentity, former: broker.NoIdentity}
}

func (m *member) lives() bool { return !m.crashed && !m.left }

// kind is that of a request.
type kind uint8

const (
	produce kind = iota
	commitOffsets
	endTransaction
	initProducer
	evict     // InitProducerId under the id of a partition that was acquired
	plainOpen // OffsetCommit
)

// request is on its way to the cluster.
type request struct {
	kind       kind
	from       int8
	awaited    bool
	id         string
	identity   broker.Identity
	record     int8
	sequence   int32
	partition  int8
	generation int32
	offsets    []broker.PartitionOffset // never changed in place
}

var epoch time.Time // the model's clock stands still
