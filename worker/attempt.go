package worker

import (
	"context"

	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// Attempt returns which attempt of a record a call of Process or ProcessBatch is, from 1.
// ctx is the call's, and the call must not have returned. An attempt that was cut off, as
// by the end of the worker, does not count, and neither do those of an earlier owner of the
// partition.
//
// The deadline of ctx is when the attempt's timeout has passed; without a timeout there is
// none.
func Attempt(ctx context.Context, rec *Record) int {
	return usercode.AttemptOf(ctx, usercode.As[record.Record](rec))
}
