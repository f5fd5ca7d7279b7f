package wire

import (
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
)

// errVersionUnknown says that a broker is too old for a request.
var errVersionUnknown = errors.New("the broker does not know this version of the request")

// Probe sends a request in a version that kafka-go has no layout of. Since
// kafka-go does not know whether a broker supports such a version, it asks the broker
// first, on the same connection. Use it for requests that are seldom sent.
type Probe struct {
	// BrokerID is -1 for any broker.
	BrokerID int32
	ClientID string
	Request  Layout
	Version  int16 // of the request's layout
	// Older is sent to a broker that does not know Version. Without it the
	// exchange fails.
	Older        protocol.Message
	olderVersion int16
}

// OlderVersion returns the version of Older that was negotiated.
func (e *Probe) OlderVersion() int16 { return e.olderVersion }

// ApiKey implements protocol.Message.
func (e *Probe) ApiKey() protocol.ApiKey { return e.Request.ApiKey() }

// Broker implements protocol.BrokerMessage.
func (e *Probe) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: e.BrokerID}, nil
}

// Required implements protocol.RawExchanger, and takes note of the version of
// kafka-go's own that was negotiated.
func (e *Probe) Required(versions map[protocol.ApiKey]int16) bool {
	e.olderVersion = versions[e.ApiKey()]
	return true
}

// RawExchange implements protocol.RawExchanger.
func (e *Probe) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	latest, err := latestVersion(rw, e.ClientID, e.ApiKey())
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask for the versions that the broker knows: %w", err)
	case latest >= e.Version:
	case e.Older == nil:
		return nil, errVersionUnknown
	default:
		res, err := protocol.RoundTrip(rw, e.olderVersion, 0, e.ClientID, e.Older)
		if err != nil {
			return nil, err
		}
		return &answer{res}, nil
	}
	if _, err := rw.Write(e.Request.AppendTo(nil, e.ClientID)); err != nil {
		return nil, fmt.Errorf("send the request: %w", err)
	}
	res, err := e.Request.ReadAnswer(rw)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return &answer{res}, nil
}

// latestVersion asks for the latest version of a request that the broker knows, -1
// for none.
func latestVersion(rw io.ReadWriter, clientID string, key protocol.ApiKey) (int16, error) {
	if _, err := rw.Write(Finish(AppendHeader(nil, protocol.ApiVersions, 0, clientID))); err != nil {
		return -1, err
	}
	data, err := ReadSized(rw)
	if err != nil {
		return -1, err
	}
	r := Reader{Data: data}
	r.Int32() // correlation id
	if err := ErrorOf(r.Int16()); err != nil {
		return -1, err
	}
	latest := int16(-1)
	for n := r.Count(); n > 0 && r.Err == nil; n-- {
		api := protocol.ApiKey(r.Int16())
		r.Int16() // the first version
		if last := r.Int16(); api == key {
			latest = last
		}
	}
	return latest, r.Err
}
