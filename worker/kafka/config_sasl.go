package kafka

import (
	"fmt"
	"os"
	"strings"

	"github.com/millrace-dev/millrace/worker/config"
)

// saslConfig reads the files that c names.
func saslConfig(c *config.SASL) (*SASL, error) {
	credentials := &SASL{Mechanism: string(c.Mechanism)}
	var err error
	switch {
	case c.OAuth != nil:
		credentials.OAuth, err = oauthConfig(c.OAuth)
	case c.AWS != nil:
		credentials.AWS = &AWS{Region: c.AWS.Region}
	default:
		err = credentials.readUser(c)
	}
	if err != nil {
		return nil, err
	}
	if _, err := credentials.mechanism(); err != nil {
		return nil, fmt.Errorf("kafka.sasl: %w", err)
	}
	return credentials, nil
}

func (s *SASL) readUser(c *config.SASL) (err error) {
	if s.Username, err = valueOrFile("kafka.sasl.usernameFile", c.Username, c.UsernameFile); err != nil {
		return err
	}
	s.Password, err = readCredential("kafka.sasl.passwordFile", c.PasswordFile)
	return err
}

func oauthConfig(c *config.OAuth) (*OAuth, error) {
	o := &OAuth{TokenEndpoint: c.TokenEndpoint, Scope: c.Scope, Extensions: c.Extensions}
	if c.TokenFile != "" {
		o.Tokens = FileTokens(c.TokenFile)
		return o, nil
	}
	var err error
	if o.ClientID, err = valueOrFile("kafka.sasl.oauth.clientIdFile", c.ClientID, c.ClientIDFile); err != nil {
		return nil, err
	}
	if o.ClientSecret, err = readCredential("kafka.sasl.oauth.clientSecretFile", c.ClientSecretFile); err != nil {
		return nil, err
	}
	o.CA, err = readCAs("kafka.sasl.oauth.caFiles", c.CAFiles)
	return o, err
}

func valueOrFile(field, value, file string) (string, error) {
	if value != "" {
		return value, nil
	}
	return readCredential(field, file)
}

// readCredential reads a file without the newline that editors put at its end.
func readCredential(field, file string) (string, error) {
	if file == "" {
		return "", fmt.Errorf("%s is not set: name the file that holds it", field)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", field, err)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if value == "" {
		return "", fmt.Errorf("%s: %s is empty", field, file)
	}
	return value, nil
}
