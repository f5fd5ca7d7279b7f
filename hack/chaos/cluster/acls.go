package cluster

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ACL is an operation of the workers' user on a resource.
type ACL struct {
	Resource  kmsg.ACLResourceType
	Name      string
	Operation kmsg.ACLOperation
}

// String returns the ACL as texts name it, for example "WRITE on TOPIC results".
func (a ACL) String() string { return fmt.Sprintf("%v on %v %s", a.Operation, a.Resource, a.Name) }

// allowAll permits the workers' user every operation on topics, groups and transactional
// ids, and idempotent writes.
func (c *Cluster) allowAll(ctx context.Context) error {
	return c.createACLs(ctx, kmsg.ACLPermissionTypeAllow,
		ACL{kmsg.ACLResourceTypeTopic, "*", kmsg.ACLOperationAll},
		ACL{kmsg.ACLResourceTypeGroup, "*", kmsg.ACLOperationAll},
		ACL{kmsg.ACLResourceTypeTransactionalId, "*", kmsg.ACLOperationAll},
		ACL{kmsg.ACLResourceTypeCluster, "kafka-cluster", kmsg.ACLOperationIdempotentWrite},
	)
}

// Deny forbids the workers' user an operation, until Restore.
func (c *Cluster) Deny(ctx context.Context, acl ACL) error {
	return c.createACLs(ctx, kmsg.ACLPermissionTypeDeny, acl)
}

// createACLs creates ACLs. Each broker learns of them a moment later.
func (c *Cluster) createACLs(ctx context.Context, permission kmsg.ACLPermissionType, acls ...ACL) error {
	req := kmsg.NewPtrCreateACLsRequest()
	for _, acl := range acls {
		creation := kmsg.NewCreateACLsRequestCreation()
		creation.ResourceType, creation.ResourceName = acl.Resource, acl.Name
		creation.ResourcePatternType = kmsg.ACLResourcePatternTypeLiteral
		creation.Principal, creation.Host = "User:"+userName, "*"
		creation.Operation, creation.PermissionType = acl.Operation, permission
		req.Creations = append(req.Creations, creation)
	}
	res, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return fmt.Errorf("create ACLs: %w", err)
	}
	for i, r := range res.Results {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return fmt.Errorf("create the ACL %v %v: %w", permission, acls[i], err)
		}
	}
	return nil
}

// Restore permits an operation again that Deny has forbidden.
func (c *Cluster) Restore(ctx context.Context, acl ACL) error {
	filter := kmsg.NewDeleteACLsRequestFilter()
	filter.ResourceType, filter.ResourceName = acl.Resource, kmsg.StringPtr(acl.Name)
	filter.ResourcePatternType = kmsg.ACLResourcePatternTypeLiteral
	filter.Principal, filter.Host = kmsg.StringPtr("User:"+userName), kmsg.StringPtr("*")
	filter.Operation, filter.PermissionType = acl.Operation, kmsg.ACLPermissionTypeDeny
	req := kmsg.NewPtrDeleteACLsRequest()
	req.Filters = append(req.Filters, filter)
	res, err := req.RequestWith(ctx, c.client)
	if err == nil {
		err = kerr.ErrorForCode(res.Results[0].ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("restore %v: %w", acl, err)
	}
	return nil
}
