package kafka

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"reflect"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	"github.com/segmentio/kafka-go/protocol/deletegroups"
	"github.com/segmentio/kafka-go/protocol/describeconfigs"
	"github.com/segmentio/kafka-go/protocol/describegroups"
	"github.com/segmentio/kafka-go/protocol/findcoordinator"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
	"github.com/segmentio/kafka-go/protocol/initproducerid"
	"github.com/segmentio/kafka-go/protocol/joingroup"
	"github.com/segmentio/kafka-go/protocol/leavegroup"
	"github.com/segmentio/kafka-go/protocol/listoffsets"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/protocol/offsetcommit"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
	"github.com/segmentio/kafka-go/protocol/syncgroup"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// layouts are the answers that kafka-go decodes: for this package, and of the requests
// that its transport sends by itself.
var layouts = map[protocol.ApiKey]reflect.Type{
	protocol.ApiVersions:      reflect.TypeFor[apiversions.Response](),
	protocol.CreateTopics:     reflect.TypeFor[createtopics.Response](),
	protocol.DeleteGroups:     reflect.TypeFor[deletegroups.Response](),
	protocol.DescribeConfigs:  reflect.TypeFor[describeconfigs.Response](),
	protocol.DescribeGroups:   reflect.TypeFor[describegroups.Response](),
	protocol.FindCoordinator:  reflect.TypeFor[findcoordinator.Response](),
	protocol.Heartbeat:        reflect.TypeFor[heartbeat.Response](),
	protocol.InitProducerId:   reflect.TypeFor[initproducerid.Response](),
	protocol.JoinGroup:        reflect.TypeFor[joingroup.Response](),
	protocol.LeaveGroup:       reflect.TypeFor[leavegroup.Response](),
	protocol.ListOffsets:      reflect.TypeFor[listoffsets.Response](),
	protocol.Metadata:         reflect.TypeFor[metadata.Response](),
	protocol.OffsetCommit:     reflect.TypeFor[offsetcommit.Response](),
	protocol.OffsetFetch:      reflect.TypeFor[offsetfetch.Response](),
	protocol.SaslAuthenticate: reflect.TypeFor[saslauthenticate.Response](),
	protocol.SaslHandshake:    reflect.TypeFor[saslhandshake.Response](),
	protocol.SyncGroup:        reflect.TypeFor[syncgroup.Response](),
}

// claimsConn is a connection that hands the answers that kafka-go decodes to it only after
// wire.CheckClaims. All others pass as they come.
//
// As the transport sends one request at a time, the first write after a read begins a
// request. One goroutine at a time reads and writes.
type claimsConn struct {
	net.Conn
	reading bool         // the last call was a read
	layout  reflect.Type // of the answer to come; nil if it passes
	version int16
	checked []byte // the rest of an answer that was checked
}

func checkClaims(conn net.Conn) *claimsConn { return &claimsConn{Conn: conn, reading: true} }

// Write implements net.Conn.
func (c *claimsConn) Write(b []byte) (int, error) {
	if c.reading {
		c.reading = false
		c.layout, c.version = layoutOf(b)
	}
	return c.Conn.Write(b)
}

// layoutOf returns the layout in which kafka-go decodes the answer to a request, nil for an
// answer that this repository decodes.
func layoutOf(request []byte) (layout reflect.Type, version int16) {
	if len(request) < 8 {
		return nil, 0
	}
	key := protocol.ApiKey(binary.BigEndian.Uint16(request[4:]))
	version = int16(binary.BigEndian.Uint16(request[6:]))
	if layout := layouts[key]; layout != nil && wire.LaidOut(layout, version) {
		return layout, version
	}
	return nil, 0
}

// Read implements net.Conn.
func (c *claimsConn) Read(b []byte) (int, error) {
	c.reading = true
	if c.layout != nil {
		if err := c.check(); err != nil {
			return 0, err
		}
	}
	if len(c.checked) > 0 {
		n := copy(b, c.checked)
		c.checked = c.checked[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// check reads a whole answer.
func (c *claimsConn) check() error {
	var size [4]byte
	if _, err := io.ReadFull(c.Conn, size[:]); err != nil {
		return err
	}
	most := uint32(wire.MaxAnswer)
	if c.layout == layouts[protocol.ApiVersions] {
		most = longestHandshake
	}
	if err := checkSize(size, most); err != nil {
		return err
	}
	data, err := wire.ReadBody(c.Conn, binary.BigEndian.Uint32(size[:]))
	if err != nil {
		return err
	}
	if err := wire.CheckClaims(c.layout, c.version, data); err != nil {
		return fmt.Errorf("%w: %w", errNotKafka, err)
	}
	c.layout, c.checked = nil, append(size[:], data...)
	return nil
}
