// Package cognito asks AWS for what the callback must know of its app client: the settings that its parameter holds, and the client's secret.
//
// It can be asked at any time, and fail: the API needs the function and the client needs the API, so when the function is made nothing of this exists yet.
// What it learned serves for five minutes, and on when AWS does not answer. A failure is never kept.
package cognito

// This file decides when AWS is asked, and what to do while it does not answer.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"edgeauth/internal/clock"
	"edgeauth/internal/config"
	"edgeauth/internal/reason"
)

const (
	fresh    = 5 * time.Minute  // how long an answer serves without asking again
	cooldown = 30 * time.Second // how long a failure, or an answer found wrong, keeps us from asking again while there is an answer to serve
	patience = 4 * time.Second  // for all questions together
)

// ErrUnavailable says that AWS gave no usable answer, and none is known from before.
var ErrUnavailable = reason.New(reason.ConfigUnavailable, "cognito: settings of the app client are out of reach")

// Client is what is known of the app client.
type Client struct {
	config.SignIn
	Secret      Secret
	Former      Secret // the secret before, which may still have sealed cookies, if there is one
	RefreshLife time.Duration
}

// Config says where to ask.
type Config struct {
	Parameter string           // name of the SSM parameter
	Now       func() time.Time // nil: time.Now
}

// Source knows the app client. It is safe for concurrent use.
type Source struct {
	c   Config
	aws questions

	mu     sync.Mutex // guards what follows; held while asking, so that one asks for all
	client Client     // the last good answer
	asked  time.Time  // when it was given
	failed time.Time  // when AWS last failed to answer
	stale  bool       // somebody found the answer to be wrong
	forced time.Time  // when AWS was last asked for that reason
}

// New returns a Source that has asked nothing yet.
func New(c Config) (*Source, error) {
	if c.Parameter == "" {
		return nil, errors.New("cognito: Config needs Parameter")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Source{c: c, aws: &direct{}}, nil
}

// Client returns what is known of the app client, after asking if that is due.
func (s *Source) Client(ctx context.Context) (Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, known := s.c.Now(), !s.asked.IsZero()
	forced := known && s.stale && !clock.Within(now, s.forced, cooldown)
	if known && !forced && clock.Within(now, s.asked, fresh) {
		return s.client, nil
	}
	if known && clock.Within(now, s.failed, cooldown) {
		return s.client, nil
	}
	if forced {
		s.forced = now
	}
	client, err := s.ask(ctx)
	if err != nil {
		slog.WarnContext(ctx, "settings of the app client are out of reach", "reason", string(reason.ConfigUnavailable), "known", known, "error", err.Error())
		s.failed = now
		if known {
			return s.client, nil
		}
		return Client{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if known && client.Secret.Reveal() != s.client.Secret.Reveal() {
		client.Former = s.client.Secret // until AWS is asked again: then the operator's word counts
	}
	s.client, s.asked, s.failed, s.stale = client, now, time.Time{}, false
	return client, nil
}

// Outdated makes the next call of Client ask again, once in 30 seconds at the most: the identity provider has refused the secret, or somebody has come
// by a host that is not known.
func (s *Source) Outdated() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = true
}

// ask puts the questions: what the parameter says, then, both at once, what the client's secret is and what it was.
func (s *Source) ask(ctx context.Context) (Client, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	text, err := s.aws.parameter(ctx, s.c.Parameter)
	if err != nil {
		return Client{}, err
	}
	signIn, err := config.ParseSignIn(text)
	if err != nil {
		return Client{}, err
	}
	client := Client{SignIn: signIn}
	former := make(chan Secret, 1)
	go func() { former <- s.former(ctx) }()
	client.Secret, client.RefreshLife, err = s.aws.client(ctx, client.UserPoolID, client.ClientID)
	client.Former = <-former
	if err == nil && client.Secret.Reveal() == "" {
		err = errors.New("cognito: the app client has no secret")
	}
	if client.Former.Reveal() == client.Secret.Reveal() {
		client.Former = Secret{}
	}
	return client, err
}

// FormerSecret is where, under the parameter's own name, an operator who rotates the client's secret leaves the old one, as a SecureString, for as long
// as a refresh token lives. Without it an instance that starts after the rotation cannot open what was sealed before, and people sign in once more.
const FormerSecret = "/former-secret"

// former returns the secret before, if there is one: it usually does not exist, and nothing but a little comfort depends on it.
func (s *Source) former(ctx context.Context) Secret {
	text, err := s.aws.parameter(ctx, s.c.Parameter+FormerSecret)
	if err != nil {
		return Secret{}
	}
	return NewSecret(text)
}
