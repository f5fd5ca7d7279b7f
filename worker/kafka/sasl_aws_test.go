package kafka

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/segmentio/kafka-go/sasl/aws_msk_iam_v2"
)

// isolateAWS keeps the machine's own AWS settings out of a test, and has the SDK look
// for no instance role.
func isolateAWS(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/missing")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/missing")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
}

// TestMSKIAMSignature: the signature for a fixed time is that of kafka-go's own test,
// by way of this package's broker address.
func TestMSKIAMSignature(t *testing.T) {
	m := &mskIAM{region: "us-east-1", signer: &aws_msk_iam_v2.Mechanism{
		Signer: signer.NewSigner(), Region: "us-east-1", SignTime: time.Date(2021, 10, 14, 13, 5, 0, 0, time.UTC),
		Credentials: awscredentials.NewStaticCredentialsProvider("ACCESS_KEY", "SECRET_KEY", ""),
	}}
	dialogue, first, err := m.Start(withBroker(testContext(t), "localhost:9092"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(first, &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "user-agent")
	want := map[string]string{
		"version":             "2020_10_22",
		"action":              "kafka-cluster:Connect",
		"host":                "localhost",
		"x-amz-algorithm":     "AWS4-HMAC-SHA256",
		"x-amz-credential":    "ACCESS_KEY/20211014/us-east-1/kafka-cluster/aws4_request",
		"x-amz-date":          "20211014T130500Z",
		"x-amz-expires":       "300",
		"x-amz-signedheaders": "host",
		"x-amz-signature":     "6b8d25f9b45b9c7db9da855a49112d80379224153a27fd279c305a5b7940d1a7",
	}
	if m.Name() != "AWS_MSK_IAM" || !maps.Equal(got, want) {
		t.Errorf("%s: got\n%v\nwant\n%v", m.Name(), got, want)
	}
	if done, _, err := dialogue.Next(testContext(t), []byte(`{"version":"2020_10_22"}`)); !done || err != nil {
		t.Errorf("after the broker's answer: done %v, %v", done, err)
	}
}

// TestMSKIAMFindsThePodsIdentity: each way in which a pod gets one.
func TestMSKIAMFindsThePodsIdentity(t *testing.T) {
	const expiration = "2099-01-01T00:00:00Z"
	start := func(t *testing.T) (map[string]string, error) {
		t.Helper()
		mechanism, err := (&AWS{Region: "eu-west-1"}).mechanism()
		if err != nil {
			t.Fatal(err)
		}
		_, first, err := mechanism.Start(withBroker(testContext(t), "b-1.example.com:9098"))
		if err != nil {
			return nil, err
		}
		var signed map[string]string
		if err := json.Unmarshal(first, &signed); err != nil {
			t.Fatal(err)
		}
		return signed, nil
	}
	expect := func(t *testing.T, key, session string) {
		t.Helper()
		signed, err := start(t)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(signed["x-amz-credential"], key+"/") || !strings.HasSuffix(signed["x-amz-credential"], "/eu-west-1/kafka-cluster/aws4_request") ||
			signed["x-amz-security-token"] != session || signed["host"] != "b-1.example.com" {
			t.Errorf("signed %v", signed)
		}
	}
	serve := func(t *testing.T, handle http.HandlerFunc) string {
		t.Helper()
		server := httptest.NewServer(handle)
		t.Cleanup(server.Close)
		return server.URL
	}
	t.Run("environment", func(t *testing.T) {
		isolateAWS(t)
		t.Setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
		t.Setenv("AWS_SESSION_TOKEN", "session")
		expect(t, "AKIDENV", "session")
	})
	t.Run("EKS Pod Identity", func(t *testing.T) {
		isolateAWS(t)
		agent := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "pod-token" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = w.Write([]byte(`{"AccessKeyId": "AKIDPOD", "SecretAccessKey": "secret", "Token": "pod-session", "Expiration": "` + expiration + `"}`))
		})
		t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent+"/v1/credentials")
		t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", writeFile(t, "pod-token"))
		expect(t, "AKIDPOD", "pod-session")
	})
	irsa := func(t *testing.T, handle http.HandlerFunc) {
		t.Helper()
		isolateAWS(t)
		t.Setenv("AWS_ENDPOINT_URL_STS", serve(t, handle))
		t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/orders")
		t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", writeFile(t, "service-account-token"))
	}
	t.Run("IRSA", func(t *testing.T) {
		irsa(t, func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("Action") != "AssumeRoleWithWebIdentity" || r.FormValue("WebIdentityToken") != "service-account-token" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			_, _ = w.Write([]byte(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
				<Credentials><AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>role-session</SessionToken>
				<Expiration>` + expiration + `</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`))
		})
		expect(t, "AKIDROLE", "role-session")
	})
	t.Run("a role that is not allowed", func(t *testing.T) {
		irsa(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
				<Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>`))
		})
		_, err := start(t)
		expectError(t, err, nil, "get AWS credentials", "AccessDenied", "IRSA or EKS Pod Identity")
		if !(&credentialsError{err}).permanent() {
			t.Errorf("%v may pass", err)
		}
	})
	t.Run("none", func(t *testing.T) {
		isolateAWS(t)
		_, err := start(t)
		expectError(t, err, nil, "get AWS credentials", "IRSA or EKS Pod Identity")
		if (&credentialsError{err}).permanent() || errors.Is(err, errTestRefused) {
			t.Errorf("%v is for good, and the node's agent may just be starting", err)
		}
	})
}
