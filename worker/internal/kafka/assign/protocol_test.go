package assign

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestSubscriptionRoundTrip(t *testing.T) {
	for _, s := range []Subscription{
		{Topics: []string{"in"}, Generation: NoGeneration},
		{Topics: []string{"in"}, Owned: []Partition{{"in", 3}, {"in", 0}}, Generation: 7},
		{Topics: []string{"b", "a"}, Owned: []Partition{{"b", 1}, {"a", 2}}, Generation: 0},
	} {
		got, err := DecodeSubscription(s.Encode())
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("got %+v, %v; want %+v", got, err, s)
		}
	}
}

// TestSubscriptionBytes pins the encoding: Java's ConsumerProtocolSubscription, version
// 3, of cooperative-sticky.
func TestSubscriptionBytes(t *testing.T) {
	s := Subscription{Topics: []string{"in"}, Owned: []Partition{{"in", 2}, {"in", 1}}, Generation: 5}
	want := strings.Join([]string{
		"0003",                 // version
		"00000001", "0002696e", // topics
		"00000004", "00000005", // user data: the generation
		"00000001", "0002696e", "00000002", "00000002", "00000001", // owned
		"00000005", // generation
		"ffff",     // rack
	}, "")
	if got := hex.EncodeToString(s.Encode()); got != want {
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
		want := Subscription{Topics: []string{"in", "other"}, Generation: 9}
		if version >= 1 {
			want.Owned = []Partition{{"in", 4}, {"in", 2}}
		}
		if version >= 2 {
			want.Generation = 11
		}
		if version > 3 { // of the future: more fields at the end
			data[1] = byte(version)
			data = append(data, 1, 2, 3)
		}
		got, err := DecodeSubscription(data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("version %d: got %+v, %v; want %+v", version, got, err, want)
		}
	}
}

func TestDecodeSubscriptionWithoutUserData(t *testing.T) {
	written := kmsg.NewConsumerMemberMetadata()
	written.Version, written.Topics = 1, []string{"in"}
	got, err := DecodeSubscription(written.AppendTo(nil))
	if err != nil || got.Generation != NoGeneration {
		t.Errorf("got %+v, %v; want no generation", got, err)
	}
}

func TestDecodeCutGroupProtocol(t *testing.T) {
	s := Subscription{Topics: []string{"in"}, Owned: []Partition{{"in", 2}}, Generation: 5}
	whole := s.Encode()
	for n := range len(whole) - 2 { // the rack is not read
		if _, err := DecodeSubscription(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes of a subscription: no error", n, len(whole))
		}
	}
	whole = Assignment{"in": {1, 2}}.Encode()
	for n := 1; n < len(whole)-4; n++ { // the user data is not read
		if _, err := DecodeAssignment(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes of an assignment: no error", n, len(whole))
		}
	}
}

func TestAssignmentRoundTrip(t *testing.T) {
	for _, a := range []Assignment{{}, {"in": {0, 5}}, {"a": {1}, "b": {2, 3}}} {
		got, err := DecodeAssignment(a.Encode())
		if err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("got %v, %v; want %v", got, err, a)
		}
	}
	if got, err := DecodeAssignment(nil); err != nil || len(got) != 0 {
		t.Errorf("nothing at all: got %v, %v; want an empty assignment", got, err)
	}
}

func FuzzDecodeSubscription(f *testing.F) {
	s := Subscription{Topics: []string{"in", "b"}, Owned: []Partition{{"in", 2}, {"b", 1}}, Generation: 5}
	f.Add(s.Encode())
	f.Add([]byte{0, 0, 0, 0, 0, 1, 0, 2, 'i', 'n', 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := DecodeSubscription(data)
		if err != nil {
			return
		}
		again, err := DecodeSubscription(got.Encode())
		if err != nil || len(again.Owned) != len(got.Owned) || again.Generation != got.Generation {
			t.Errorf("got %+v, then %+v, %v", got, again, err)
		}
	})
}

func FuzzDecodeAssignment(f *testing.F) {
	f.Add(Assignment{"in": {0, 5}, "b": {1}}.Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := DecodeAssignment(data)
		if err != nil {
			return
		}
		again, err := DecodeAssignment(got.Encode())
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("got %v, then %v, %v", got, again, err)
		}
	})
}
