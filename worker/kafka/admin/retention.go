package admin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/describeconfigs"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// retentionProperty is how long brokers keep the offsets of a group that has no
// members, in minutes.
const retentionProperty = "offsets.retention.minutes"

// brokerResource is the protocol's number for a broker's configuration.
const brokerResource = 4

// OffsetsRetention returns how long the brokers keep the offsets of a group without
// members, from the configuration of one of them. It fails with ErrNotAuthorized if
// this user may not read it.
func (a *Admin) OffsetsRetention(ctx context.Context) (time.Duration, error) {
	cluster, err := a.c.Metadata(ctx)
	if err != nil {
		return 0, fmt.Errorf("look up the brokers: %w", err)
	}
	if len(cluster.Brokers) == 0 {
		return 0, fmt.Errorf("look up the brokers: %w", kafkago.BrokerNotAvailable)
	}
	broker := cluster.Brokers[0].NodeID
	answer, err := a.c.Ask(ctx, broker, &describeconfigs.Request{Resources: []describeconfigs.RequestResource{{
		ResourceType: brokerResource, ResourceName: strconv.Itoa(int(broker)), ConfigNames: []string{retentionProperty},
	}}})
	if err != nil {
		return 0, fmt.Errorf("broker %d: %w", broker, err)
	}
	for _, resource := range answer.(*describeconfigs.Response).Resources {
		if err := wire.ErrorOf(resource.ErrorCode); err != nil {
			return 0, retentionError(broker, err)
		}
		for _, entry := range resource.ConfigEntries {
			if entry.ConfigName != retentionProperty {
				continue
			}
			minutes, err := strconv.ParseInt(entry.ConfigValue, 10, 32)
			if err != nil || minutes <= 0 {
				return 0, fmt.Errorf("broker %d: %s is %q", broker, retentionProperty, entry.ConfigValue)
			}
			return time.Duration(minutes) * time.Minute, nil
		}
	}
	return 0, fmt.Errorf("broker %d: %w", broker, wire.OmittedError(retentionProperty))
}

func retentionError(broker int32, err error) error {
	if errors.Is(err, kafkago.ClusterAuthorizationFailed) {
		return fmt.Errorf("broker %d: %w: allow this user the operation DescribeConfigs on the cluster (%w)", broker, kafka.ErrNotAuthorized, err)
	}
	return fmt.Errorf("broker %d: %s: %w", broker, retentionProperty, err)
}
