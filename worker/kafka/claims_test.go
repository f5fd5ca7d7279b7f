package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// eachLayout calls f with every answer that kafka-go decodes, in every version, laid out by
// kafka-go from values with one element in each list.
func eachLayout(t testing.TB, f func(key protocol.ApiKey, version int16, answer []byte)) {
	t.Helper()
	for key, layout := range layouts {
		for version := int16(0); version < 20; version++ {
			if !wire.LaidOut(layout, version) {
				continue
			}
			res := reflect.New(layout)
			fill(res.Elem())
			var b bytes.Buffer
			if err := protocol.WriteResponse(&b, version, 0, res.Interface().(protocol.Message)); err != nil {
				t.Fatalf("%s %d: %v", key, version, err)
			}
			f(key, version, b.Bytes())
		}
	}
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.String:
		v.SetString("name")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(1)
	default:
		v.SetInt(1)
	}
}

// answering is a connection whose other end answers the next request, and then hangs up.
type answering struct {
	net.Conn
	answer *bytes.Reader
}

func (c *answering) Read(b []byte) (int, error) { return c.answer.Read(b) }

// decode has kafka-go decode an answer off a checked connection.
func decode(key protocol.ApiKey, version int16, answer []byte) (protocol.Message, error) {
	conn := checkClaims(&answering{answer: bytes.NewReader(answer)})
	conn.layout, conn.version = layouts[key], version
	_, res, err := protocol.ReadResponse(conn, key, version)
	return res, err
}

func TestAnswersPassTheCheckOfTheirClaims(t *testing.T) {
	answers := 0
	eachLayout(t, func(key protocol.ApiKey, version int16, answer []byte) {
		answers++
		res, err := decode(key, version, answer)
		if err != nil {
			t.Errorf("%s %d: %v", key, version, err)
			return
		}
		empty := reflect.New(layouts[key]).Interface()
		_, direct, err := protocol.ReadResponse(bytes.NewReader(answer), key, version)
		if err != nil || reflect.DeepEqual(direct, empty) || !reflect.DeepEqual(res, direct) {
			t.Errorf("%s %d: read as %+v, without the check as %+v, %v", key, version, res, direct, err)
		}
		if _, err := decode(key, version, answer[:len(answer)-1]); err == nil {
			t.Errorf("%s %d: a cut answer is accepted", key, version)
		}
	})
	if answers < 50 {
		t.Errorf("%d answers were checked", answers)
	}
}

// TestClaimsOfAnswersAreNotBelieved has kafka-go decode answers with false lengths. It would
// take memory for what they claim, and crash the process if that is too much.
func TestClaimsOfAnswersAreNotBelieved(t *testing.T) {
	eachLayout(t, func(key protocol.ApiKey, version int16, answer []byte) {
		testkit.LengthClaims(t, answer, 1<<20, func(data []byte) { _, _ = decode(key, version, data) })
	})
}

// TestAnswerThatIsNone: a server of another kind gets no memory either, and is named.
func TestAnswerThatIsNone(t *testing.T) {
	_, err := decode(protocol.Metadata, 1, []byte("HTTP/1.1 400 Bad Request\r\n"))
	if !errors.Is(err, errNotKafka) {
		t.Errorf("got %v", err)
	}
	short := binary.BigEndian.AppendUint32(nil, 30)
	if _, err := decode(protocol.Metadata, 1, append(short, "cut"...)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

// TestOwnLayoutsPassUnchecked: kafka-go's layout of another version would refuse them.
func TestOwnLayoutsPassUnchecked(t *testing.T) {
	for _, request := range [][]byte{
		(&topicMetadata{"orders"}).AppendTo(nil, "me"),
		wire.Finish(wire.AppendHeader(nil, protocol.Fetch, 11, "me")),
		wire.Finish(wire.AppendHeader(nil, protocol.OffsetFetch, 7, "me")),
		[]byte("token"),
	} {
		if layout, version := layoutOf(request); layout != nil {
			t.Errorf("%x: kafka-go's layout %s in version %d", request, layout, version)
		}
	}
	if layout, _ := layoutOf(versionsRequest()); layout == nil {
		t.Error("the answer about versions is not checked")
	}
}

// TestAllLayoutsAreChecked fails for a request whose answer is not in the table, where its
// claims would be believed.
func TestAllLayoutsAreChecked(t *testing.T) {
	known := map[string]bool{}
	for _, layout := range layouts {
		known[layout.PkgPath()] = true
	}
	used := regexp.MustCompile(`"(github\.com/segmentio/kafka-go/protocol/[a-z]+)"`)
	err := filepath.WalkDir("..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "bench") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range used.FindAllSubmatch(source, -1) {
			if !known[string(found[1])] {
				t.Errorf("%s uses %s: add its response to layouts", path, found[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// FuzzAnswers has kafka-go decode any bytes.
func FuzzAnswers(f *testing.F) {
	eachLayout(f, func(key protocol.ApiKey, version int16, answer []byte) {
		if !wire.LaidOut(layouts[key], version+1) {
			f.Add(uint8(key), uint8(version), answer)
		}
	})
	f.Fuzz(func(_ *testing.T, key, version uint8, answer []byte) {
		if layout := layouts[protocol.ApiKey(key)]; layout != nil && wire.LaidOut(layout, int16(version)) {
			_, _ = decode(protocol.ApiKey(key), int16(version), answer)
		}
	})
}
