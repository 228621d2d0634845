package ari

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
)

// MayWrite says whether requests that change something would be obeyed: nil, or
// ErrReadOnly, or what else is wrong. It asks a channel that is not there to
// answer, so nothing is changed.
func (c *Client) MayWrite(ctx context.Context) error {
	err := c.Answer(ctx, "parley-check-"+rand.Text())
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// Registered says whether somebody, we or another client, has the application
// now.
func (c *Client) Registered(ctx context.Context) (bool, error) {
	err := c.call(ctx, http.MethodGet, []string{"applications", c.o.App}, nil, nil, nil)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
