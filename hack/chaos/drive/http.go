package drive

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
)

// save writes the answer to a request into a file.
func save(ctx context.Context, client *http.Client, url, file string) error {
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return errors.Join(err, res.Body.Close())
	}
	_, err = io.Copy(f, res.Body)
	return errors.Join(err, res.Body.Close(), f.Close())
}
