package group

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/hack/prerequisite"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// javaClasses compiles the Java member and returns the class path to run it, or
// skips the test.
func javaClasses(t *testing.T) (classPath string) {
	t.Helper()
	if _, err := exec.LookPath("javac"); err != nil {
		prerequisite.Missing(t, "needs a Java client, and javac is missing (install a JDK of version 17 or newer)")
	}
	jars, err := exec.Command(filepath.Join("..", "..", "..", "..", "hack", "kafka.sh"), "fetch").Output()
	if err != nil {
		t.Fatalf("hack/kafka.sh fetch: %v", err)
	}
	classes := t.TempDir()
	classPath = filepath.Join(strings.TrimSpace(string(jars)), "*")
	source := filepath.Join("testdata", "javamember", "JavaMember.java")
	if out, err := exec.Command("javac", "-cp", classPath, "-d", classes, source).CombinedOutput(); err != nil {
		t.Fatalf("compile %s: %v\n%s", source, err, out)
	}
	return classes + string(os.PathListSeparator) + classPath
}

// javaMember is a process with a Java client's member of the group.
type javaMember struct {
	crew    *crew
	process *exec.Cmd
	in      io.WriteCloser
}

// startJava starts a member of Java's own client. The crew has no Member.
func (f *fleet) startJava(classPath string) *crew {
	f.t.Helper()
	f.next++
	c := &crew{f: f, name: fmt.Sprintf("java%d", f.next), ended: make(chan struct{}), owned: map[int32]*Assignment{}}
	j := &javaMember{crew: c, process: exec.Command("java", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", classPath, "JavaMember",
		f.cluster.Addrs()[0], f.group, f.topic, c.name, strconv.FormatInt(f.session.Milliseconds(), 10))}
	c.java = j
	j.process.Stderr = os.Stderr
	var err error
	if j.in, err = j.process.StdinPipe(); err != nil {
		f.t.Fatal(err)
	}
	out, err := j.process.StdoutPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := j.process.Start(); err != nil {
		f.t.Fatalf("start a Java member: %v", err)
	}
	go func() {
		defer close(c.ended)
		j.follow(out)
		_ = j.process.Wait()
	}()
	f.t.Cleanup(c.killJava)
	return c
}

// follow passes on to the referee what the process says. It answers after that,
// so that nobody else hears of a partition before.
func (j *javaMember) follow(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		var partitions []*Assignment
		for _, word := range words[1:] {
			p, err := strconv.Atoi(word)
			if err != nil {
				j.crew.f.t.Errorf("a Java member said %q", lines.Text())
			}
			partitions = append(partitions, &Assignment{Partition: int32(p)})
		}
		if words[0] == "assigned" {
			j.crew.take(-1, partitions)
		} else {
			j.crew.drop(partitions)
		}
		_, _ = io.WriteString(j.in, "go on\n") // it may have ended
	}
}

func (c *crew) killJava() {
	c.f.forget(c)
	_ = c.java.process.Process.Kill() // it may have ended
	<-c.ended
}

func (c *crew) leaveJava() {
	_, _ = io.WriteString(c.java.in, "leave\n")
	<-c.ended
	c.f.forget(c)
}

// TestTogetherWithJava: one group of Go and Java members. Both sides lead in
// turn, and nothing is ever assigned twice or left out.
func TestTogetherWithJava(t *testing.T) {
	kafkatest.Shared(t) // or skip
	classPath := javaClasses(t)
	t.Run("Go leads", func(t *testing.T) {
		broker := kafkatest.Shared(t)
		f := newFleet(t, &broker.Cluster, testkit.UniqueName("java-go-leads"), 6)
		a := f.start()
		f.await(a)
		owners, since := f.ownership()
		j := f.startJava(classPath)
		f.await(a, j)
		if kept := f.checkKept(owners, since); kept != 3 {
			t.Errorf("%d partitions stayed, want 3", kept)
		}
		owners, since = f.ownership()
		b := f.start()
		f.await(a, b, j)
		f.checkKept(owners, since)
		j.leaveJava()
		f.await(a, b)
	})
	t.Run("Java leads", func(t *testing.T) {
		broker := kafkatest.Shared(t)
		f := newFleet(t, &broker.Cluster, testkit.UniqueName("java-java-leads"), 6)
		j := f.startJava(classPath)
		f.await(j)
		owners, since := f.ownership()
		a := f.start()
		f.await(a, j)
		if kept := f.checkKept(owners, since); kept != 3 {
			t.Errorf("%d partitions stayed, want 3", kept)
		}
		drained := make(chan struct{})
		a.setHold(drained)
		b, k := f.start(), f.startJava(classPath)
		f.cluster.Eventually("a partition is revoked", func() bool { return len(a.revokedSoFar()) > 0 })
		f.cluster.Eventually("everybody is in", func() bool { return b.in() && k.in() })
		close(drained)
		f.await(a, b, j, k)
		c := f.start()
		f.await(a, b, c, j, k)
		c.withdraw()
		f.await(a, b, j, k)
		a.kill()
		f.await(b, j, k)
		j.killJava() // the leader
		f.await(b, k)
		if lost := b.lostSoFar(); len(lost) > 0 {
			t.Errorf("lost partitions: %v", lost)
		}
	})
}
