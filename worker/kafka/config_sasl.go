package kafka

import (
	"fmt"

	"github.com/millrace-dev/millrace/worker/config"
)

// sasl reads the files that c names.
func (f Files) sasl(c *config.SASL) (*SASL, error) {
	credentials := &SASL{Mechanism: string(c.Mechanism)}
	var err error
	switch {
	case c.OAuth != nil:
		credentials.OAuth, err = f.oauth(c.OAuth)
	case c.AWS != nil:
		credentials.AWS = &AWS{Region: c.AWS.Region}
	default:
		err = credentials.readUser(f, c)
	}
	if err != nil {
		return nil, err
	}
	if _, err := credentials.mechanism(&ClientConfig{}); err != nil {
		return nil, fmt.Errorf("kafka.sasl: %w", err)
	}
	return credentials, nil
}

func (s *SASL) readUser(f Files, c *config.SASL) (err error) {
	if s.Username, err = f.valueOrFile("kafka.sasl.usernameFile", c.Username, c.UsernameFile); err != nil {
		return err
	}
	s.Password, err = f.credential("kafka.sasl.passwordFile", c.PasswordFile)
	return err
}

func (f Files) oauth(c *config.OAuth) (*OAuth, error) {
	o := &OAuth{TokenEndpoint: c.TokenEndpoint, Scope: c.Scope, Extensions: c.Extensions}
	if c.TokenFile != "" {
		o.Tokens = f.Tokens(c.TokenFile)
		return o, nil
	}
	var err error
	if o.ClientID, err = f.valueOrFile("kafka.sasl.oauth.clientIdFile", c.ClientID, c.ClientIDFile); err != nil {
		return nil, err
	}
	if o.ClientSecret, err = f.credential("kafka.sasl.oauth.clientSecretFile", c.ClientSecretFile); err != nil {
		return nil, err
	}
	o.CA, err = f.authorities("kafka.sasl.oauth.caFiles", c.CAFiles)
	return o, err
}

func (f Files) valueOrFile(field, value, file string) (string, error) {
	if value != "" {
		return value, nil
	}
	return f.credential(field, file)
}
