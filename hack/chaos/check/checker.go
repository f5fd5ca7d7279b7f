package check

import (
	"fmt"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker/config"
)

// Settings say what to expect.
type Settings struct {
	Ordering config.Ordering
	Delivery config.Delivery
	// Input is the topic's name, which dead letters repeat.
	Input string
	// OutputPartitions is the output topic's number of partitions at the beginning.
	OutputPartitions int32
}

// Checker collects the records and commits that are read from Kafka and finds mistakes in
// them. It is safe for
// concurrent use.
type Checker struct {
	settings Settings

	mu         sync.Mutex // guards all below
	partitions []*partition
	further    map[place]*copyOf // first copies of further outputs and of dead letters
	processes  []string          // by the numbers in copies
	numbers    map[string]int16
	order      map[lane]last
	duplicates []duplicate
	latest     map[place]copyOf // last copies of outputs and dead letters that have several
	layouts    layouts
	refusals   []*window
	samples    []sample
	backs      []back
	open       map[writer]*transaction
	lasted     []time.Duration // the time of each transaction in a partition
	figures    Figures
	violations Violations
}

// Figures count what the checker has seen.
type Figures struct {
	Records     int64 `json:"records"`
	Outputs     int64 `json:"outputs"`
	DeadLetters int64 `json:"deadLetters"`
	Duplicates  int64 `json:"duplicates"`
	// Crossed counts the records that came behind later ones of their key because the
	// output topic had grown or refused them: see checkOrder.
	Crossed int64 `json:"crossed"`
	Commits int64 `json:"sampledCommits"`
	// CommitsBack counts the committed offsets that a sample showed lower than before,
	// in a fault of Kafka: see checkBacks.
	CommitsBack  int64 `json:"commitsMovedBack"`
	Transactions int64 `json:"transactions"`
	// Aborted counts the markers of aborted transactions, one for each partition.
	Aborted int64 `json:"abortMarkers"`
	// LongestTransaction is the longest time from a transaction's first record in a
	// partition to its marker.
	LongestTransaction time.Duration `json:"longestTransaction"`
	// MostTransactions is the time that 99 of 100 transactions do not exceed.
	MostTransactions time.Duration `json:"transactions99"`
	// OldestOpen is the age of the oldest open transaction that a coordinator has shown.
	OldestOpen time.Duration `json:"oldestOpenTransaction"`
}

// place names a further copy of a record: an output above 0, or its dead letter.
type place struct {
	partition int32
	seq       int64
	index     int
}

// letterIndex is the index of dead letters.
const letterIndex = -1

// New returns a checker.
func New(s Settings) *Checker {
	return &Checker{
		settings: s, further: map[place]*copyOf{}, latest: map[place]copyOf{}, numbers: map[string]int16{}, order: map[lane]last{},
		open: map[writer]*transaction{}, layouts: newLayouts(s.OutputPartitions),
		violations: Violations{},
	}
}

// partition holds the known facts about the records of an input partition.
type partition struct {
	slots     []slot // by sequence number
	watermark int64  // of the last sample
	deleted   int64  // the end of the records that retention may have taken unread
	past      []watermark
	timeline  []moment
}

// slot is a record of the input.
type slot struct {
	written   int64 // in milliseconds since 1970; 0 until the record is acknowledged
	first     copyOf
	committed int32 // 1 + the index of the first sample that covers the record
	kind      workload.Kind
}

// copyOf is the first copy of an output or a dead letter.
type copyOf struct {
	at        int64 // in milliseconds since 1970; 0 if there is none
	offset    int64
	partition int16
	process   int16
}

// Input notes a record that the broker has acknowledged.
func (c *Checker) Input(id workload.ID, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.slot(id)
	s.written, s.kind = at.UnixMilli(), id.Kind
	c.figures.Records++
}

// Deleted notes that the records below some offsets of the input are going to be deleted.
// Their outputs may be missing.
func (c *Checker) Deleted(before map[int32]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, offset := range before {
		if offset == 0 {
			continue
		}
		c.slot(workload.ID{Partition: n, Seq: offset - 1})
		p := c.partitions[n]
		p.deleted = max(p.deleted, offset)
	}
}

// partition returns a partition of the input, which it adds if need be. It may have no records
// yet.
func (c *Checker) partition(n int32) *partition {
	for int(n) >= len(c.partitions) {
		c.partitions = append(c.partitions, &partition{})
	}
	return c.partitions[n]
}

// slot returns the slot of a record, which it adds if need be. It is valid until the next
// call.
func (c *Checker) slot(id workload.ID) *slot {
	p := c.partition(id.Partition)
	for id.Seq >= int64(len(p.slots)) {
		p.slots = append(p.slots, slot{})
	}
	return &p.slots[id.Seq]
}

// first returns where the first copy of an output is noted.
func (c *Checker) first(id workload.ID, index int) *copyOf {
	if index == 0 {
		return &c.slot(id).first
	}
	at := place{id.Partition, id.Seq, index}
	if c.further[at] == nil {
		c.further[at] = &copyOf{}
	}
	return c.further[at]
}

func (c *Checker) number(process string) int16 {
	n, ok := c.numbers[process]
	if !ok {
		n = int16(len(c.processes))
		c.numbers[process], c.processes = n, append(c.processes, process)
	}
	return n
}

// Figures returns the figures so far.
func (c *Checker) Figures() Figures {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.figures
}

// Violations returns the broken rules so far.
func (c *Checker) Violations() Violations {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.violations.clone()
}

// Violate notes something that the driver has found wrong.
func (c *Checker) Violate(rule Rule, at time.Time, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.violations.add(rule, at, fmt.Sprintf(format, args...))
}
