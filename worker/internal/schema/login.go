package schema

import (
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/millrace-dev/millrace/worker/config"
)

// login authenticates requests. It reads the files each time, since they may change, and the
// requests are few.
type login struct{ cfg config.SchemaRegistry }

// newLogin sees that the files can be read.
func newLogin(cfg config.SchemaRegistry) (*login, error) {
	l := &login{cfg}
	request, err := http.NewRequest(http.MethodGet, cfg.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("registry.url: %w", err)
	}
	return l, l.authenticate(request)
}

func (l *login) authenticate(r *http.Request) error {
	if l.cfg.TokenFile != "" {
		token, err := read("registry.tokenFile", l.cfg.TokenFile)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	if l.cfg.PasswordFile == "" {
		return nil
	}
	user := l.cfg.Username
	if l.cfg.UsernameFile != "" {
		var err error
		if user, err = read("registry.usernameFile", l.cfg.UsernameFile); err != nil {
			return err
		}
	}
	password, err := read("registry.passwordFile", l.cfg.PasswordFile)
	if err != nil {
		return err
	}
	r.SetBasicAuth(user, password)
	return nil
}

// read returns a file's content without the newline that editors put at its end.
func read(field, file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", field, err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r"), nil
}
