package wire

import "errors"

// ErrOmitted: a broker's response omits a partition of the request.
var ErrOmitted = errors.New("the broker's response does not contain the partition")
