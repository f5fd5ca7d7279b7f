package subject

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

// Name is the name of a program to examine.
type Name string

// The programs.
const (
	Millrace Name = "millrace"
	KafkaGo  Name = "kafka-go"
	FranzGo  Name = "franz-go"
)

// Config is the file that configures a process.
type Config struct {
	Program Name `json:"program"`
	// Process names the process in its outputs.
	Process      string   `json:"process"`
	Brokers      []string `json:"brokers"`
	User         string   `json:"user"`
	PasswordFile string   `json:"passwordFile"`

	Input      string `json:"input"`
	Output     string `json:"output"`
	DeadLetter string `json:"deadLetter"`
	Group      string `json:"group"`

	Ordering config.Ordering `json:"ordering"`
	Delivery config.Delivery `json:"delivery"`
	// StateDir is the pod's: it stays when the process is started again in its pod.
	StateDir string `json:"stateDir"`
	// SharedDir is for what all processes of the run must know.
	SharedDir   string `json:"sharedDir"`
	Listen      string `json:"listen"` // of /status
	Concurrency int    `json:"concurrency"`
	Members     int    `json:"members"`
	InFlight    int    `json:"inFlight"` // records
}

// The settings that all programs have in common.
const (
	// SessionTimeout is the shortest that a worker takes.
	SessionTimeout = 6 * time.Second
	// DrainTimeout bounds how long a worker that stops waits for its records.
	DrainTimeout = 10 * time.Second
	// maxAttempts is how often a record is tried.
	maxAttempts = 3
	// attemptTimeout ends the attempts that hang.
	attemptTimeout = time.Second
	// transactionTimeout is that of the transactional producers.
	transactionTimeout = 10 * time.Second
)

// Write writes the configuration to a file.
func (c Config) Write(file string) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// Run runs the program of a configuration file until SIGTERM.
func Run(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var c Config
	if err := json.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	switch c.Program {
	case Millrace:
		return c.millrace(ctx)
	case KafkaGo:
		return c.kafkaGo(ctx)
	case FranzGo:
		return c.franzGo(ctx)
	default:
		return fmt.Errorf("%s: there is no program %q", file, c.Program)
	}
}

// password returns the content of the password's file.
func (c Config) password() (string, error) {
	text, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(text), nil
}
