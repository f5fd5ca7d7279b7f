package schema

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/kafka/trouble"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// Registry is a schema registry. It keeps the schemas that it was asked for.
type Registry struct {
	url    string
	client *sr.Client
	log    logr.Logger
	away   trouble.SharedStreak // of questions without an answer
	codecs once[int, codec]     // by id
}

// requestTimeout bounds one request.
const requestTimeout = 10 * time.Second

// repeatLog is how often a log tells about a registry that is away.
const repeatLog = time.Minute

// NewRegistry returns the registry of a configuration. It reads the files with certificates,
// and asks the registry nothing yet.
func NewRegistry(cfg config.SchemaRegistry, log logr.Logger) (*Registry, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if cfg.TLS != nil {
		conf, err := kafka.TLSConfig(cfg.TLS, "registry.tls")
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = conf
	}
	login, err := newLogin(cfg)
	if err != nil {
		return nil, err
	}
	client, err := sr.NewClient(
		sr.URLs(cfg.URL),
		sr.UserAgent("millrace"),
		sr.PreReq(login.authenticate),
		sr.HTTPClient(&http.Client{Transport: bounded{transport}, CheckRedirect: checkRedirect, Timeout: requestTimeout}),
	)
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	r := &Registry{url: cfg.URL, client: client, log: log.WithValues("registry", cfg.URL)}
	r.codecs.ask = r.askByID
	return r, nil
}

// byID returns the codec of a schema.
func (r *Registry) byID(ctx context.Context, id int) (codec, error) {
	c, err := r.codecs.of(ctx, id)
	if err != nil && ctx.Err() != nil {
		return nil, failure.Untried(fmt.Errorf("the schema registry %s has not answered yet: %w", r.url, err))
	}
	return c, err
}

func (r *Registry) askByID(ctx context.Context, id int) (codec, error) {
	s, err := r.client.SchemaByID(ctx, id)
	if err := r.failure(answered(s, err)); err != nil {
		return nil, fmt.Errorf("schema %d: %w", id, err)
	}
	return r.compile(ctx, s, fmt.Sprintf("schema %d", id))
}

// compile makes the codec of a schema, with those that it refers to.
func (r *Registry) compile(ctx context.Context, s sr.Schema, name string) (codec, error) {
	d, err := r.resolve(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c, err := compile(d)
	if err != nil {
		return nil, failure.Permanent(fmt.Errorf("%s of the registry %s can't be used: %w", name, r.url, err))
	}
	return c, nil
}

// failure explains an error of the client, and logs that the registry is away, or is back; nil
// is the end of an outage. A registry that is away, or that does not let this worker in, is
// waited for: the record has nothing to do with it.
func (r *Registry) failure(err error) error {
	if err != nil {
		err = r.explain(err)
	}
	switch {
	case !failure.IsUntried(err):
		if r.away.Ended() {
			r.log.Info("the schema registry answers again")
		}
	case r.away.Failed("", repeatLog):
		r.log.Error(err, "records wait for the schema registry")
	}
	return err
}

func (r *Registry) explain(err error) error {
	answer, answered := errors.AsType[*sr.ResponseError](err)
	_, sent := errors.AsType[*url.Error](err)
	switch {
	case !answered && !sent:
		return failure.Untried(fmt.Errorf("the schema registry %s can't be used: %w", r.url, err))
	case !answered:
		return failure.Untried(fmt.Errorf("the schema registry %s can't be reached: %w", r.url, err))
	case answer.ErrorCode != 0 && slices.Contains([]int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusConflict}, answer.StatusCode):
		return fmt.Errorf("the schema registry %s says: %s", r.url, text(answer))
	case answer.StatusCode == http.StatusUnauthorized, answer.StatusCode == http.StatusForbidden:
		return failure.Untried(fmt.Errorf("the schema registry %s refuses this worker's credentials (HTTP status %d): %s", r.url, answer.StatusCode, text(answer)))
	default:
		return failure.Untried(fmt.Errorf("the schema registry %s fails (HTTP status %d): %s", r.url, answer.StatusCode, text(answer)))
	}
}

// text returns what the registry says, in one line of a bounded length.
func text(answer *sr.ResponseError) string {
	if answer.Message != "" {
		return oneLine(answer.Message)
	}
	return oneLine(string(answer.Raw))
}
