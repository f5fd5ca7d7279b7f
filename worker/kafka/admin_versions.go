package kafka

import (
	"context"
	"sync"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// versionCache holds the latest versions that brokers speak: kafka-go tells of
// none beyond its own.
type versionCache struct {
	mu     sync.Mutex
	latest map[int32]map[protocol.ApiKey]int16 // by broker; guarded by mu
}

func (v *versionCache) get(broker int32) map[protocol.ApiKey]int16 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.latest[broker]
}

func (v *versionCache) put(broker int32, latest map[protocol.ApiKey]int16) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.latest == nil {
		v.latest = make(map[int32]map[protocol.ApiKey]int16)
	}
	v.latest[broker] = latest
}

func (v *versionCache) forget(broker int32) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.latest, broker)
}

// speaks reports whether a broker knows a version of a request.
func (a *Admin) speaks(ctx context.Context, broker int32, key protocol.ApiKey, version int16) (bool, error) {
	latest := a.versions.get(broker)
	if latest == nil {
		res, err := a.c.Ask(ctx, broker, &apiversions.Request{})
		if err != nil {
			return false, err
		}
		r := res.(*apiversions.Response)
		if err := wire.ErrorOf(r.ErrorCode); err != nil {
			return false, err
		}
		latest = make(map[protocol.ApiKey]int16, len(r.ApiKeys))
		for _, api := range r.ApiKeys {
			latest[protocol.ApiKey(api.ApiKey)] = api.MaxVersion
		}
		a.versions.put(broker, latest)
	}
	known, ok := latest[key]
	return ok && known >= version, nil
}
