package faults

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/cluster"
	"github.com/millrace-dev/millrace/hack/chaos/proxy"
)

// ErrNotNow is returned by a Begin that has changed nothing, because the cluster is in no
// state for the fault. The driver begins another one.
var ErrNotNow = errors.New("not possible at present")

// Env is the part of a chaos run that faults act on.
type Env struct {
	Cluster       *cluster.Cluster
	Proxies       *proxy.Set
	Input, Output string // topics
	Group         string
	// TransactionalID returns an id that is in use. It is nil without transactions.
	TransactionalID func() string
}

// Class is a set of kinds of which one fault at most is in force at a time.
type Class string

// The classes.
const (
	Broker     Class = "broker"
	Leader     Class = "leader"
	Latency    Class = "latency"
	Connection Class = "connection"
	Reach      Class = "reach"
	Permission Class = "permission"
	Topic      Class = "topic"   // of the driver's kinds
	Process    Class = "process" // of the driver's kinds
)

// Kind is a kind of fault.
type Kind struct {
	Name  string
	Class Class
	// Graceful kinds don't excuse a duplicate.
	Graceful bool
	// Weight says how often the kind is chosen, in proportion to the other kinds.
	Weight int
	// Hold is how long a fault lasts, at least and at most.
	Hold [2]time.Duration
	// ExactlyOnce kinds make sense with transactions only.
	ExactlyOnce bool
	// Begin puts a fault in force. All its choices come from pick. After an error nothing is
	// in force.
	Begin func(ctx context.Context, e *Env, pick *rand.Rand) (Applied, error)
}

// Applied is a fault in force.
type Applied struct {
	Detail string
	// End undoes the fault, and waits until Kafka is whole again where the fault has broken
	// it. It has to be called once, also when Begin's context is over.
	End func(ctx context.Context) error
	// Hits returns how many connections or requests the fault has hit so far. It is nil for
	// a fault that hits everything.
	Hits func() int64
}

// Kinds returns all kinds.
func Kinds() []Kind {
	return slices.Concat(brokerKinds(), leaderKinds(), networkKinds(), permissionKinds())
}

// unless returns a, or undoes it if it could not be put in force: whether an act was carried
// out is not known after every error.
func (a Applied) unless(ctx context.Context, err error) (Applied, error) {
	if err == nil {
		return a, nil
	}
	return Applied{}, errors.Join(err, a.End(context.WithoutCancel(ctx)))
}

// nothing is the End of a fault that is over when it has begun.
func nothing(context.Context) error { return nil }

// between returns a random duration from low to high.
func between(pick *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(pick.Int64N(int64(high-low)+1))
}

// seconds returns bounds for Kind.Hold.
func seconds(low, high float64) [2]time.Duration {
	return [2]time.Duration{time.Duration(low * float64(time.Second)), time.Duration(high * float64(time.Second))}
}
