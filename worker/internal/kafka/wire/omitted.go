package wire

// OmittedError is the error for a response that leaves out the part of the request that it
// names.
type OmittedError string

// Error implements error.
func (e OmittedError) Error() string { return "the broker's response does not contain " + string(e) }

// ErrOmitted is the error for a response without a partition of the request.
const ErrOmitted = OmittedError("the partition")
