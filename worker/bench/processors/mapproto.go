package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/millrace-dev/millrace/worker"
)

// The messages of Numaflow's map.proto are encoded and decoded by hand, since the driver
// should cost less than the server does.

// rawCodec passes on messages that are encoded already.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }

func (rawCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = data
	return nil
}

func (rawCodec) Name() string { return "proto" }

// handshake is a MapRequest or a MapResponse whose Handshake says that the stream starts.
var handshake = []byte{3<<3 | 2, 2, 1 << 3, 1}

func isHandshake(message []byte) bool { return bytes.Equal(message, handshake) }

// mapRequest returns a MapRequest, whose id names the place of the record.
func mapRequest(number, index int, rec *worker.Record) []byte {
	at := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(eventTime.Unix()))
	var request []byte
	request = protowire.AppendBytes(protowire.AppendTag(request, 1, protowire.BytesType), rec.Key)
	request = protowire.AppendBytes(protowire.AppendTag(request, 2, protowire.BytesType), rec.Value)
	request = protowire.AppendBytes(protowire.AppendTag(request, 3, protowire.BytesType), at)
	request = protowire.AppendBytes(protowire.AppendTag(request, 4, protowire.BytesType), at)
	message := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), request)
	id := strconv.AppendInt(append(strconv.AppendInt(nil, int64(number), 10), '-'), int64(index), 10)
	return protowire.AppendBytes(protowire.AppendTag(message, 2, protowire.BytesType), id)
}

// parseMapResponse returns the place of a MapResponse's record, and the values of its results.
func parseMapResponse(b []byte) (number, index int, values [][]byte, err error) {
	var id []byte
	err = eachField(b, func(num protowire.Number, value []byte) error {
		switch num {
		case 1:
			return eachField(value, func(num protowire.Number, value []byte) error {
				if num == 2 {
					values = append(values, value)
				}
				return nil
			})
		case 2:
			id = value
		}
		return nil
	})
	if err != nil {
		return 0, 0, nil, err
	}
	head, tail, _ := bytes.Cut(id, []byte("-"))
	if number, err = strconv.Atoi(string(head)); err == nil {
		index, err = strconv.Atoi(string(tail))
	}
	if err != nil {
		return 0, 0, nil, fmt.Errorf("the map server answers with the id %q, which no request has", id)
	}
	return number, index, values, nil
}

// eachField calls f for each field of a message whose value is bytes.
func eachField(b []byte, f func(num protowire.Number, value []byte) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errors.New("a message of the map server is not Protobuf")
		}
		value := b[n:]
		m := protowire.ConsumeFieldValue(num, typ, value)
		if m < 0 {
			return errors.New("a message of the map server is not Protobuf")
		}
		b = value[m:]
		if typ != protowire.BytesType {
			continue
		}
		content, _ := protowire.ConsumeBytes(value[:m])
		if err := f(num, content); err != nil {
			return err
		}
	}
	return nil
}
