package resources

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

// manifestPaths replaces the paths of the worker's configuration in the errors by those of
// the manifest.
func manifestPaths(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var errs []error
	for _, err := range joined.Unwrap() {
		if finding, ok := errors.AsType[*config.FieldError](err); ok {
			path := strings.Replace(finding.Path, "telemetry.logLevel", "logLevel", 1)
			if strings.HasSuffix(path, ".oauth.tokenEndpoint") {
				path += ".url"
			}
			err = fmt.Errorf("spec.%s: %s", path, finding.Problem)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// maxName leaves room for the suffixes that the names of objects and pods have.
const maxName = validation.DNS1035LabelMaxLength - len("-worker")

// checkName is stricter than the worker, because the operator names objects after the
// StreamProcessor, among them a Service.
func checkName(sp *v1alpha1.StreamProcessor) error {
	problems := validation.IsDNS1035Label(sp.Name)
	if len(sp.Name) > maxName {
		problems = append(problems, validation.MaxLenError(maxName))
	}
	if len(problems) > 0 {
		return fmt.Errorf("metadata.name: %q: %s", sp.Name, strings.Join(problems, "; "))
	}
	return nil
}

// checkProcessor checks the images too, which the worker's configuration does not have.
func checkProcessor(p v1alpha1.ProcessorSpec) error {
	var set []string
	for _, kind := range []struct {
		name string
		set  bool
	}{{"cel", p.CEL != nil}, {"container", p.Container != nil}, {"sidecar", p.Sidecar != nil}} {
		if kind.set {
			set = append(set, kind.name)
		}
	}
	switch {
	case len(set) == 0:
		return errors.New("spec.processor: it is not set: set cel for the built-in processor, container for a program on the Go SDK, or sidecar for a program in another language")
	case len(set) > 1:
		return fmt.Errorf("spec.processor: %s are set together: keep one of them", strings.Join(set, " and "))
	case p.Container != nil && p.Container.Image == "":
		return errors.New("spec.processor.container.image: it is not set: name the image")
	case p.Sidecar != nil && p.Sidecar.Image == "":
		return errors.New("spec.processor.sidecar.image: it is not set: name the image")
	default:
		return nil
	}
}

// byteCount converts a quantity of whole bytes; an absent one is 0.
func byteCount(path string, q *resource.Quantity) (config.Bytes, error) {
	if q == nil {
		return 0, nil
	}
	count := q.Value() // rounded up, and at most the largest int64
	if count < 0 || resource.NewQuantity(count, q.Format).Cmp(*q) != 0 {
		return 0, fmt.Errorf("%s: %s is not a number of bytes: write a whole number, alone or with a unit such as Mi", path, q.String())
	}
	return config.Bytes(count), nil
}

// checkZeros refuses explicit zeros and empty texts. In the worker's configuration they mean
// the default, but a user who writes "timeout: 0s" means something else.
func checkZeros(spec *v1alpha1.StreamProcessorSpec) error {
	var errs []error
	refuse := func(path string, zero bool) {
		if zero {
			errs = append(errs, fmt.Errorf("%s: 0 is out of bounds: write a higher value, or remove the field for its default", path))
		}
	}
	if isZero(spec.Input.GroupID) {
		errs = append(errs, errors.New("spec.input.groupId: it is empty: name a group, or remove the field for its default"))
	}
	refuse("spec.inFlight.records", isZero(spec.InFlight.Records))
	refuse("spec.inFlight.bytes", spec.InFlight.Bytes != nil && spec.InFlight.Bytes.IsZero())
	refuse("spec.concurrency", isZero(spec.Concurrency))
	if s := spec.Processor.Sidecar; s != nil {
		refuse("spec.processor.sidecar.processes", isZero(s.Processes))
		if b := s.Batch; b != nil {
			refuse("spec.processor.sidecar.batch.maxRecords", isZero(b.MaxRecords))
			refuse("spec.processor.sidecar.batch.maxBytes", b.MaxBytes != nil && b.MaxBytes.IsZero())
			refuse("spec.processor.sidecar.batch.linger", isZero(b.Linger))
		}
	}
	if output := spec.Output; output != nil {
		refuse("spec.output.deliveryTimeout", isZero(output.DeliveryTimeout))
		refuse("spec.output.create.replicationFactor", output.Create != nil && isZero(output.Create.ReplicationFactor))
	}
	if dead := spec.Failure.DeadLetter; dead != nil {
		refuse("spec.failure.deadLetter.create.replicationFactor", dead.Create != nil && isZero(dead.Create.ReplicationFactor))
	}
	if transaction := spec.Transaction; transaction != nil {
		refuse("spec.transaction.interval", isZero(transaction.Interval))
		refuse("spec.transaction.timeout", isZero(transaction.Timeout))
	}
	refuse("spec.failure.maxAttempts", isZero(spec.Failure.MaxAttempts))
	refuse("spec.failure.backoff.initial", isZero(spec.Failure.Backoff.Initial))
	refuse("spec.failure.backoff.max", isZero(spec.Failure.Backoff.Max))
	refuse("spec.failure.timeout", isZero(spec.Failure.Timeout))
	refuse("spec.failure.stallTimeout", isZero(spec.Failure.StallTimeout))
	refuse("spec.drainTimeout", isZero(spec.DrainTimeout))
	return errors.Join(errs...)
}

// isZero reports whether the value is present and zero.
func isZero[T comparable](value *T) bool {
	return value != nil && *value == *new(T)
}
