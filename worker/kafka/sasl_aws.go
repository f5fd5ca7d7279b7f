package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/aws_msk_iam_v2"

	"github.com/millrace-dev/millrace/worker/config"
)

func (a *AWS) mechanism() (sasl.Mechanism, error) {
	if a == nil || a.Region == "" {
		return nil, errors.New("SASL mechanism AWS_MSK_IAM needs the AWS region of the cluster")
	}
	return &mskIAM{region: a.Region}, nil
}

// mskIAM is the mechanism AWS_MSK_IAM. AWS's SDK looks for the process's identity when
// the first connection is made, keeps its credentials and renews them in time.
type mskIAM struct {
	region string

	mu     sync.Mutex
	signer *aws_msk_iam_v2.Mechanism // nil until the identity is found; guarded by mu
}

// Name implements sasl.Mechanism.
func (m *mskIAM) Name() string { return string(config.AWSMSKIAM) }

// Start implements sasl.Mechanism.
func (m *mskIAM) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	signer, err := m.load(ctx)
	if err != nil {
		return nil, nil, err
	}
	if _, err := signer.Credentials.Retrieve(ctx); err != nil {
		return nil, nil, noIdentity(err)
	}
	return signer.Start(ctx)
}

func (m *mskIAM) load(ctx context.Context) (*aws_msk_iam_v2.Mechanism, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.signer != nil {
		return m.signer, nil
	}
	conf, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(m.region))
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration of this process: %w", err)
	}
	m.signer = aws_msk_iam_v2.NewMechanism(conf)
	return m.signer, nil
}

// noIdentity explains why there are no AWS credentials. AWS may refuse them for good;
// all else may pass, as an agent on the node may just be starting.
func noIdentity(err error) error {
	err = fmt.Errorf("get AWS credentials for this process: %w (does the pod's service account have an IAM role, "+
		"by IRSA or EKS Pod Identity?)", err)
	if answer, ok := errors.AsType[smithy.APIError](err); ok {
		switch answer.ErrorCode() {
		case "AccessDenied", "AccessDeniedException", "InvalidIdentityToken", "ValidationError":
			return &refusal{err}
		}
	}
	return err
}
