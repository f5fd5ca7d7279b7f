package crd

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

const (
	groupSuspended   = "input.groupId can be changed only when suspend is already true"
	topicSuspended   = "input.topic can be changed only when suspend is already true"
	brokersSuspended = "kafka.bootstrapServers can be replaced as a whole only when suspend is already true"
)

// transitions are updates of an object, allowed and refused ones.
var transitions = []struct {
	name          string
	before, after string
	field, want   string // "" for a change that is allowed
}{
	{"group", spec("input: {groupId: a}"), spec("input: {groupId: b}"), "spec.input.groupId", groupSuspended},
	{"group taken away", spec("input: {groupId: a}"), spec("input: {groupId: null}"), "spec.input.groupId", groupSuspended},
	{"group while it suspends", spec("input: {groupId: a}"), spec("input: {groupId: b}, suspend: true"), "spec.input.groupId", groupSuspended},
	{"group while suspended", spec("input: {groupId: a}, suspend: true"), spec("input: {groupId: b}"), "", ""},
	{"group while it resumes", spec("input: {groupId: a}, suspend: true"), spec("input: {groupId: b}, suspend: false"), "", ""},
	{"the default group", spec("input: {}"), spec("input: {groupId: millrace-other}"), "spec.input.groupId", groupSuspended},
	{"topic", spec("input: {topic: a}"), spec("input: {topic: b}"), "spec.input.topic", topicSuspended},
	{"topic while it suspends", spec("input: {topic: a}"), spec("input: {topic: b}, suspend: true"), "spec.input.topic", topicSuspended},
	{"topic while suspended", spec("input: {topic: a}, suspend: true"), spec("input: {topic: b}"), "", ""},
	{"brokers", spec(brokers("a:1")), spec(brokers("b:1")), "spec.kafka.bootstrapServers", brokersSuspended},
	{"brokers while it suspends", spec(brokers("a:1")), spec(brokers("b:1") + ", suspend: true"), "spec.kafka.bootstrapServers", brokersSuspended},
	{"brokers while suspended", spec(brokers("a:1") + ", suspend: true"), spec(brokers("b:1")), "", ""},
	{"all brokers but one", spec(brokers("a:1", "b:1")), spec(brokers("c:1", "b:1", "d:1")), "", ""},
	{"fewer brokers", spec(brokers("a:1", "b:1")), spec(brokers("b:1")), "", ""},
	{"the output's cluster", spec("output: {" + elsewhere + "}"), spec("output: {kafka: {bootstrapServers: ['b:1']}}"), "", ""},
	{"no output", spec("output: {topic: a}"), spec("output: null, " + program), "", ""},
	{"all else", spec("suspend: false"), spec("kafka: {bootstrapServers: ['kafka:9092', 'b:1']}, output: {topic: o}, processor: {cel: {filter: 'true'}}, " +
		"ordering: Partition, deletionPolicy: DeleteGroup, replicas: 7"), "", ""},
}

func brokers(servers ...string) string {
	return fmt.Sprintf("kafka: {bootstrapServers: ['%s']}", strings.Join(servers, "', '"))
}

func TestTransitions(t *testing.T) {
	api := controllerstest.Start(t)
	for _, c := range transitions {
		t.Run(c.name, func(t *testing.T) {
			namespace := api.Namespace(t)
			before := parse(t, least, c.before)
			before.SetNamespace(namespace)
			if err := strict(api).Create(context.Background(), before); err != nil {
				t.Fatal(err)
			}
			after := parse(t, least, c.before, c.after)
			after.SetNamespace(namespace)
			after.SetResourceVersion(before.GetResourceVersion())
			err := strict(api).Update(context.Background(), after, client.DryRunAll)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatalf("the change is accepted, want the error %q", c.want)
			}
			causes := causesOf(t, err)
			if len(causes) != 1 || causes[0].Field != c.field || !strings.Contains(causes[0].Message, c.want) {
				t.Errorf("%v, want %s: %s", err, c.field, c.want)
			}
		})
	}
}
