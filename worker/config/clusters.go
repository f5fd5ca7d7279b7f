package config

import (
	"reflect"
	"slices"
)

// OutputKafka returns the cluster of the results. own reports whether it needs
// separate connections, because its addresses or credentials differ from those of the
// input's cluster.
func (c *Config) OutputKafka() (k Kafka, own bool) {
	if c.Output.Kafka == nil {
		return c.Kafka, false
	}
	return *c.Output.Kafka, !reflect.DeepEqual(*c.Output.Kafka, c.Kafka)
}

// OutputElsewhere reports whether results go to another cluster than the input's. That
// is the case if the two have no bootstrap server in common.
func (c *Config) OutputElsewhere() bool {
	k := c.Output.Kafka
	return k != nil && !slices.ContainsFunc(k.BootstrapServers, func(server string) bool {
		return slices.Contains(c.Kafka.BootstrapServers, server)
	})
}
