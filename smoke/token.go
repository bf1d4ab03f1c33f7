package smoke

// This file gets an access token on this machine: the Cognito stand-in makes one without a sign-in, for whoever asks. On AWS the pool's own ways lead to
// one, and no secret is any business of a program that only tries things.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Token returns an access token of the user at the application's own app client, or of the pool's machine client.
func (t Target) Token(ctx context.Context, machine bool) (string, error) {
	b := newBrowser(t, http1)
	a, err := b.navigate(ctx, b.to("/auth/login"))
	to := a.next()
	for range hops {
		if err != nil || to == nil || to.Host != b.base.Host {
			break
		}
		a, err = b.follow(ctx, a, to)
		to = a.next()
	}
	switch {
	case err != nil:
		return "", err
	case to == nil || to.Host == b.base.Host:
		return "", fmt.Errorf("%s/auth/login sends nobody to a login page", b.base)
	case !here(to):
		return "", errors.New("the login page is not on this machine; docs/machines.md says how to get a token from AWS")
	}
	ask := map[string]string{"use": "access", "user": t.user, "client_id": to.Query().Get("client_id")}
	if machine {
		ask = map[string]string{"use": "machine"}
	}
	return b.mint(ctx, to, ask)
}

// mint asks the stand-in behind a login page for a token; GET /_standin/ there lists what can be asked for.
func (b *browser) mint(ctx context.Context, login *url.URL, ask map[string]string) (string, error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, originOf(login)+"/_standin/mint", strings.NewReader(string(body)))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := b.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("%s: %w", login.Host, reached(err))
	}
	defer res.Body.Close()
	var answer struct{ Token, Error string }
	if err := json.NewDecoder(http.MaxBytesReader(nil, res.Body, pageLimit)).Decode(&answer); err != nil || answer.Token == "" {
		return "", fmt.Errorf("%s gives no token: %d %s", login.Host, res.StatusCode, plain(answer.Error))
	}
	return answer.Token, nil
}
