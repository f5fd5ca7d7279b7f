package kafka

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// unreachableError is an ErrUnreachable with the reason for each server.
type unreachableError struct {
	reasons []error // one for each server
}

func (e *unreachableError) Error() string {
	parts := make([]string, len(e.reasons))
	for i, reason := range e.reasons {
		parts[i] = reason.Error()
	}
	// Servers are tried in any order; the same failure reads the same.
	slices.Sort(parts)
	return fmt.Sprintf("%v: %s", ErrUnreachable, strings.Join(parts, "; "))
}

func (e *unreachableError) Unwrap() []error {
	return append([]error{ErrUnreachable}, e.reasons...)
}

// permanent reports whether every server refuses the client's credentials or certificate.
func (e *unreachableError) permanent() bool {
	for _, reason := range e.reasons {
		if refused, ok := errors.AsType[*DialError](reason); !ok || !refused.permanent() {
			return false
		}
	}
	return true
}

// unreachable turns the error of a first request without an answer into an
// ErrUnreachable. It returns other errors unchanged.
func (c *Client) unreachable(err error) error {
	if errors.Is(err, ErrUnreachable) || !c.brokers.empty() || !brokenConnection(err) {
		return err
	}
	failure := &unreachableError{}
	for _, address := range c.dialer.servers {
		reason := c.dialer.gate.lastError(address)
		if reason == nil {
			// Connected to, or not tried to the end.
			reason = fmt.Errorf("%s: no answer: %w", address, err)
		}
		failure.reasons = append(failure.reasons, reason)
	}
	return failure
}
