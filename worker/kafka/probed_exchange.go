package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
)

// errVersionUnknown says that a broker is too old for a request.
var errVersionUnknown = errors.New("the broker does not know this version of the request")

// probedExchange sends a request in a version that kafka-go has no layout of. Since
// kafka-go does not know whether a broker supports such a version, it asks the broker
// first, on the same connection. Use it for requests that are seldom sent.
type probedExchange struct {
	broker   int32
	clientID string
	request  ownLayout
	version  int16 // of the request's layout
	// older is sent to a broker that does not know version; without it the
	// exchange fails with errVersionUnknown.
	older        protocol.Message
	olderVersion int16
}

// ApiKey implements protocol.Message.
func (e *probedExchange) ApiKey() protocol.ApiKey { return e.request.ApiKey() }

// Broker implements protocol.BrokerMessage.
func (e *probedExchange) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: e.broker}, nil
}

// Required implements protocol.RawExchanger, and takes note of the version of
// kafka-go's own that was negotiated.
func (e *probedExchange) Required(versions map[protocol.ApiKey]int16) bool {
	e.olderVersion = versions[e.ApiKey()]
	return true
}

// RawExchange implements protocol.RawExchanger.
func (e *probedExchange) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	latest, err := latestVersion(rw, e.clientID, e.ApiKey())
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask for the versions that the broker knows: %w", err)
	case latest >= e.version:
	case e.older == nil:
		return nil, errVersionUnknown
	default:
		res, err := protocol.RoundTrip(rw, e.olderVersion, 0, e.clientID, e.older)
		if err != nil {
			return nil, err
		}
		return &answer{Message: res}, nil
	}
	if _, err := rw.Write(e.request.appendTo(nil, e.clientID)); err != nil {
		return nil, fmt.Errorf("send the request: %w", err)
	}
	res, err := e.request.readAnswer(rw)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return &answer{Message: res}, nil
}

// latestVersion asks for the latest version of a request that the broker knows, -1
// for none.
func latestVersion(rw io.ReadWriter, clientID string, key protocol.ApiKey) (int16, error) {
	b := appendInt32(nil, 0) // size, see finishRequest
	b = binary.BigEndian.AppendUint16(b, uint16(protocol.ApiVersions))
	b = binary.BigEndian.AppendUint16(b, 0)
	b = appendInt32(b, 0) // correlation id
	if _, err := rw.Write(finishRequest(appendString(b, clientID))); err != nil {
		return -1, err
	}
	data, err := readSized(rw)
	if err != nil {
		return -1, err
	}
	r := protocolReader{data: data}
	r.int32() // correlation id
	if err := errorOf(r.int16()); err != nil {
		return -1, err
	}
	latest := int16(-1)
	for n := r.count(); n > 0 && r.err == nil; n-- {
		api := protocol.ApiKey(r.int16())
		r.int16() // the first version
		if last := r.int16(); api == key {
			latest = last
		}
	}
	return latest, r.err
}
