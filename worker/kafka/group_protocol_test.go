package kafka

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestSubscriptionRoundTrip(t *testing.T) {
	for _, s := range []subscription{
		{topics: []string{"in"}, generation: noGeneration},
		{topics: []string{"in"}, owned: []topicPartition{{"in", 3}, {"in", 0}}, generation: 7},
		{topics: []string{"b", "a"}, owned: []topicPartition{{"b", 1}, {"a", 2}}, generation: 0},
	} {
		got, err := decodeSubscription(s.encode())
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("got %+v, %v; want %+v", got, err, s)
		}
	}
}

// TestSubscriptionBytes pins what goes over the wire: it is Java's
// ConsumerProtocolSubscription, version 3, of cooperative-sticky.
func TestSubscriptionBytes(t *testing.T) {
	s := subscription{topics: []string{"in"}, owned: []topicPartition{{"in", 2}, {"in", 1}}, generation: 5}
	want := strings.Join([]string{
		"0003",                 // version
		"00000001", "0002696e", // topics
		"00000004", "00000005", // user data: the generation
		"00000001", "0002696e", "00000002", "00000002", "00000001", // owned
		"00000005", // generation
		"ffff",     // rack
	}, "")
	if got := hex.EncodeToString(s.encode()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestDecodeSubscriptionVersions reads what other clients write.
func TestDecodeSubscriptionVersions(t *testing.T) {
	for version := int16(0); version <= 4; version++ {
		written := kmsg.NewConsumerMemberMetadata()
		written.Version = min(version, 3)
		written.Topics = []string{"in", "other"}
		written.UserData = []byte{0, 0, 0, 9}
		written.Generation = 11
		owned := kmsg.NewConsumerMemberMetadataOwnedPartition()
		owned.Topic, owned.Partitions = "in", []int32{4, 2}
		written.OwnedPartitions = append(written.OwnedPartitions, owned)
		rack := "r1"
		written.Rack = &rack
		data := written.AppendTo(nil)
		want := subscription{topics: []string{"in", "other"}, generation: 9}
		if version >= 1 {
			want.owned = []topicPartition{{"in", 4}, {"in", 2}}
		}
		if version >= 2 {
			want.generation = 11
		}
		if version > 3 { // of the future: more fields at the end
			data[1] = byte(version)
			data = append(data, 1, 2, 3)
		}
		got, err := decodeSubscription(data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("version %d: got %+v, %v; want %+v", version, got, err, want)
		}
	}
}

func TestDecodeSubscriptionWithoutUserData(t *testing.T) {
	written := kmsg.NewConsumerMemberMetadata()
	written.Version, written.Topics = 1, []string{"in"}
	got, err := decodeSubscription(written.AppendTo(nil))
	if err != nil || got.generation != noGeneration {
		t.Errorf("got %+v, %v; want no generation", got, err)
	}
}

func TestDecodeCutGroupProtocol(t *testing.T) {
	s := subscription{topics: []string{"in"}, owned: []topicPartition{{"in", 2}}, generation: 5}
	whole := s.encode()
	for n := range len(whole) - 2 { // the rack is not read
		if _, err := decodeSubscription(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes of a subscription: no error", n, len(whole))
		}
	}
	whole = assignment{"in": {1, 2}}.encode()
	for n := 1; n < len(whole)-4; n++ { // the user data is not read
		if _, err := decodeAssignment(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes of an assignment: no error", n, len(whole))
		}
	}
}

func TestAssignmentRoundTrip(t *testing.T) {
	for _, a := range []assignment{{}, {"in": {0, 5}}, {"a": {1}, "b": {2, 3}}} {
		got, err := decodeAssignment(a.encode())
		if err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("got %v, %v; want %v", got, err, a)
		}
	}
	if got, err := decodeAssignment(nil); err != nil || len(got) != 0 {
		t.Errorf("nothing at all: got %v, %v; want an empty assignment", got, err)
	}
}

func FuzzDecodeSubscription(f *testing.F) {
	s := subscription{topics: []string{"in", "b"}, owned: []topicPartition{{"in", 2}, {"b", 1}}, generation: 5}
	f.Add(s.encode())
	f.Add([]byte{0, 0, 0, 0, 0, 1, 0, 2, 'i', 'n', 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decodeSubscription(data)
		if err != nil {
			return
		}
		again, err := decodeSubscription(got.encode())
		if err != nil || len(again.owned) != len(got.owned) || again.generation != got.generation {
			t.Errorf("got %+v, then %+v, %v", got, again, err)
		}
	})
}

func FuzzDecodeAssignment(f *testing.F) {
	f.Add(assignment{"in": {0, 5}, "b": {1}}.encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decodeAssignment(data)
		if err != nil {
			return
		}
		again, err := decodeAssignment(got.encode())
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("got %v, then %v, %v", got, again, err)
		}
	})
}
