package faults

import (
	"context"
	"math/rand/v2"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/hack/chaos/cluster"
)

// permissionKinds take an ACL away and give it back.
func permissionKinds() []Kind {
	kind := func(name string, acl func(*Env) cluster.ACL) Kind {
		return Kind{Name: name, Class: Permission, Weight: 2, Hold: seconds(0.5, 5), Begin: denied(acl)}
	}
	write := kind("no permission to write", func(e *Env) cluster.ACL {
		return cluster.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: e.Output, Operation: kmsg.ACLOperationWrite}
	})
	write.Graceful = true
	read := kind("no permission to read", func(e *Env) cluster.ACL {
		return cluster.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: e.Input, Operation: kmsg.ACLOperationRead}
	})
	read.Weight = 1
	group := kind("no permission for the group", func(e *Env) cluster.ACL {
		return cluster.ACL{Resource: kmsg.ACLResourceTypeGroup, Name: e.Group, Operation: kmsg.ACLOperationRead}
	})
	group.Weight = 1
	transactions := kind("no permission for transactions", func(*Env) cluster.ACL {
		return cluster.ACL{Resource: kmsg.ACLResourceTypeTransactionalId, Name: "*", Operation: kmsg.ACLOperationWrite}
	})
	transactions.ExactlyOnce = true
	return []Kind{write, read, group, transactions}
}

// denied begins a fault that forbids an operation.
func denied(of func(*Env) cluster.ACL) func(context.Context, *Env, *rand.Rand) (Applied, error) {
	return func(ctx context.Context, e *Env, _ *rand.Rand) (Applied, error) {
		acl := of(e)
		applied := Applied{
			Detail: acl.String(),
			End:    func(ctx context.Context) error { return e.Cluster.Restore(ctx, acl) },
		}
		return applied.unless(ctx, e.Cluster.Deny(ctx, acl))
	}
}
