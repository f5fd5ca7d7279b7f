package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// longestHandshake bounds a broker's list of versions in bytes. Brokers list about a
// hundred APIs with six bytes for each.
const longestHandshake = 64 << 10

// errNotKafka is the error for an answer that is not a broker's. kafka-go would take its
// first bytes for a length, and reserve as much memory.
var errNotKafka = errors.New("the answer is not that of a Kafka broker")

// negotiateVersions asks the broker for its versions, for the setup of this connection.
// The transport asks again.
func negotiateVersions(conn *protocol.Conn) (map[protocol.ApiKey]int16, error) {
	if _, err := conn.Write(versionsRequest()); err != nil {
		return nil, err
	}
	r, err := readHandshake(conn)
	if err != nil {
		return nil, err
	}
	r.Int32() // correlation id
	code := r.Int16()
	versions := make(map[protocol.ApiKey]int16)
	for n := r.Int32(); n > 0 && r.Err == nil; n-- {
		key := protocol.ApiKey(r.Int16())
		versions[key] = key.SelectVersion(r.Int16(), r.Int16())
	}
	if r.Err != nil {
		return nil, errNotKafka
	}
	if err := wire.ErrorOf(code); err != nil {
		return nil, fmt.Errorf("negotiate API versions: %w", err)
	}
	conn.SetVersions(versions)
	return versions, nil
}

// versionsRequest is an ApiVersions request of version 0, which every broker takes.
// The client's name comes with the requests that follow.
func versionsRequest() []byte {
	b := wire.AppendInt32(nil, 0) // size, which Finish fills in
	b = binary.BigEndian.AppendUint16(b, uint16(protocol.ApiVersions))
	b = binary.BigEndian.AppendUint16(b, 0)
	b = wire.AppendInt32(b, 0) // correlation id
	return wire.Finish(wire.AppendString(b, ""))
}

// readHandshake reads an answer. Any kind of server may have sent it.
func readHandshake(from io.Reader) (*wire.Reader, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	if err := checkSize(size, longestHandshake); err != nil {
		return nil, err
	}
	data := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(from, data); err != nil {
		return nil, err
	}
	return &wire.Reader{Data: data}, nil
}

// checkSize returns an error if an answer with this size is not a broker's.
func checkSize(size [4]byte, most uint32) error {
	const tlsAlert, tlsMajor = 0x15, 3
	if size[0] == tlsAlert && size[1] == tlsMajor {
		return fmt.Errorf("%w: the answer is an alert of TLS", io.ErrUnexpectedEOF)
	}
	if binary.BigEndian.Uint32(size[:]) > most {
		return errNotKafka
	}
	return nil
}
