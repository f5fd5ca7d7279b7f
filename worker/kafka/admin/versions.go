package admin

import (
	"context"
	"sync"

	"github.com/segmentio/kafka-go/protocol"
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
		var err error
		if latest, err = a.c.LatestVersions(ctx, broker); err != nil {
			return false, err
		}
		a.versions.put(broker, latest)
	}
	known, ok := latest[key]
	return ok && known >= version, nil
}
