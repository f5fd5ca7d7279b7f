package controllers

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/dial"
)

// claims are the consumer groups that StreamProcessors have taken since the operator
// started. The status that records them reaches the cache a moment later.
type claims struct {
	mu sync.Mutex
	of map[string]map[string]v1alpha1.HeldGroup // by namespace and name; guarded by mu
}

// claim claims a group for a StreamProcessor, in the place of its earlier claim. If
// another StreamProcessor of the namespace has the group, it returns that one's name.
func (c *claims) claim(key types.NamespacedName, group v1alpha1.HeldGroup, search dial.Search) (owner string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, other := range c.of[key.Namespace] {
		if name != key.Name && other.GroupID == group.GroupID &&
			search.SameServers(other.BootstrapServers, key.Namespace, group.BootstrapServers, key.Namespace) {
			return name
		}
	}
	if c.of == nil {
		c.of = make(map[string]map[string]v1alpha1.HeldGroup)
	}
	if c.of[key.Namespace] == nil {
		c.of[key.Namespace] = make(map[string]v1alpha1.HeldGroup)
	}
	c.of[key.Namespace][key.Name] = group
	return ""
}

func (c *claims) release(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of[key.Namespace], key.Name)
	if len(c.of[key.Namespace]) == 0 {
		delete(c.of, key.Namespace)
	}
}
