package cluster

import (
	"context"
	"fmt"
	"time"
)

// Transaction is one that has begun and whose readers wait for its end.
type Transaction struct {
	ID    string
	State string // Ongoing, PrepareCommit or PrepareAbort
	Since time.Time
	// Partitions is the number of partitions that wait for its end.
	Partitions int
}

// OpenTransactions returns the transactions that are not over, as the coordinators know
// them.
func (c *Cluster) OpenTransactions(ctx context.Context) ([]Transaction, error) {
	listed, err := c.admin.ListTransactions(ctx, nil, []string{"Ongoing", "PrepareCommit", "PrepareAbort"})
	if err != nil {
		return nil, fmt.Errorf("list the transactions: %w", err)
	}
	if len(listed) == 0 {
		return nil, nil
	}
	described, err := c.admin.DescribeTransactions(ctx, listed.TransactionalIDs()...)
	if err != nil {
		return nil, fmt.Errorf("describe the transactions: %w", err)
	}
	var open []Transaction
	for _, d := range described.Sorted() {
		if d.StartTimestamp < 0 {
			continue // it has ended since
		}
		t := Transaction{ID: d.TxnID, State: d.State, Since: time.UnixMilli(d.StartTimestamp)}
		for _, partitions := range d.Topics {
			t.Partitions += len(partitions)
		}
		open = append(open, t)
	}
	return open, nil
}
