package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"

	kafkago "github.com/segmentio/kafka-go"
)

// kind returns the kind of failure of a stage. It quotes nothing that the other end
// answers: somebody with the right to name addresses could otherwise find out which
// services listen there.
func (e *DialError) kind() string {
	switch e.Stage {
	case StageTLS:
		return tlsKind(e.Err)
	case StageHandshake:
		return "it does not answer as a Kafka broker does"
	case StageSASL:
		if code, ok := errors.AsType[kafkago.Error](e.Err); ok {
			return code.Title()
		}
		return "it does not come to an end"
	default:
		return "it can't be connected to"
	}
}

func tlsKind(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the certificate is signed by an unknown authority"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the certificate is for another name"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "the certificate has expired or is not valid yet"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate is not valid"
	}
	return "it does not come to an end"
}

// inFull returns the whole message of err, for the program's own log.
func inFull(err error) string {
	if failed, ok := errors.AsType[*DialError](err); ok && failed.brief {
		return failed.message(reason(failed.Err).Error())
	}
	return err.Error()
}
