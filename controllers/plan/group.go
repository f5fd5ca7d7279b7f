package plan

import (
	"fmt"

	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// groupConflict says who holds the group. Pods that run do so with another group: the
// spec has changed since.
func (o *Observed) groupConflict() string {
	message := fmt.Sprintf("StreamProcessor %s holds the consumer group %q on the same cluster; together they would split the topic between them: set another spec.input.groupId, or suspend or delete %s",
		o.GroupOwner, resources.GroupID(o.Processor), o.GroupOwner)
	if held := o.Held(); held > 0 {
		message += fmt.Sprintf("; until then %s with the configuration of before", count(held, "pod")+goOn(held))
	}
	return message
}

func goOn(pods int32) string {
	if pods == 1 {
		return " goes on"
	}
	return " go on"
}

// groupShared is a warning only, and names nobody: a namespace must neither stop the
// pods of another nor learn what there is in it.
func (o *Observed) groupShared() status.Condition {
	if !o.GroupShared {
		return status.False(status.GroupShared, status.UsedTwice, "")
	}
	return status.True(status.GroupShared, status.UsedTwice, fmt.Sprintf(
		"another StreamProcessor, perhaps of another namespace, runs with consumer group %q on the same cluster, and each of them gets only some of the partitions: set another spec.input.groupId for one of them",
		resources.GroupID(o.Processor)))
}
