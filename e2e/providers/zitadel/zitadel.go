// Package zitadel is an identity provider for tests: the OpenID Provider of zitadel/oidc, with the paths and the claims of Amazon Cognito, which
// it is given by configuration alone. Users, codes and tokens are kept by its own example storage, and its own login page asks for the password.
//
// What stays different from Cognito, and is meant to: the audience of an ID token is an array, a login is not remembered, and the logout endpoint
// calls Cognito's logout_uri post_logout_redirect_uri.
package zitadel

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Config says whom the provider serves.
type Config struct {
	Issuer       string // its own origin
	ClientID     string
	ClientSecret string
	CallbackURL  string
	LogoutURL    string
	Rotation     bool              // each renewal replaces the refresh token, at once
	Users        map[string]string // password by email address
	Groups       map[string][]string
}

// Handler returns the provider.
func Handler(c Config) http.Handler {
	s := &pool{
		Storage: storage.NewStorageWithClients(users(c.Users), map[string]*storage.Client{
			c.ClientID: storage.WebClient(c.ClientID, c.ClientSecret, c.CallbackURL),
		}),
		config: c,
	}
	endpoint := op.NewEndpoint
	provider := exampleop.SetupServer(c.Issuer, s, slog.New(slog.DiscardHandler), false, op.WithCustomEndpoints(
		endpoint("/oauth2/authorize"), endpoint("/oauth2/token"), endpoint("/oauth2/userInfo"), endpoint("/oauth2/revoke"),
		endpoint("/logout"), endpoint("/.well-known/jwks.json"),
	))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/logout" { // RP-Initiated Logout 1.0 section 2 has another name for it
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "logout_uri=", "post_logout_redirect_uri=", 1)
		}
		provider.ServeHTTP(w, r)
	})
}

// pool is the example storage where a user pool differs from it.
type pool struct {
	*storage.Storage
	config Config
}

// client is the example client with a place to go after the logout and all claims in the ID token.
type client struct {
	op.Client
	logoutURL string
}

func (c client) PostLogoutRedirectURIs() []string { return []string{c.logoutURL} }

func (client) IDTokenUserinfoClaimsAssertion() bool { return true }

// GetClientByClientID implements op.Storage.
func (p *pool) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := p.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return client{c, p.config.LogoutURL}, nil
}

// CreateAuthRequest implements op.Storage. Cognito gives a refresh token without being asked for offline access.
func (p *pool) CreateAuthRequest(ctx context.Context, r *oidc.AuthRequest, userID string) (op.AuthRequest, error) {
	r.Scopes = append(r.Scopes, oidc.ScopeOfflineAccess)
	return p.Storage.CreateAuthRequest(ctx, r, userID)
}

// CreateAccessAndRefreshTokens implements op.Storage. Without rotation a renewal brings no refresh token, and the one that was used stays good.
func (p *pool) CreateAccessAndRefreshTokens(ctx context.Context, r op.TokenRequest, current string) (string, string, time.Time, error) {
	if current != "" && !p.config.Rotation {
		id, expires, err := p.CreateAccessToken(ctx, r)
		return id, "", expires, err
	}
	return p.Storage.CreateAccessAndRefreshTokens(ctx, r, current)
}

// SetUserinfoFromRequest implements op.CanSetUserinfoFromRequest: it decides what an ID token says.
func (p *pool) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, r op.IDTokenRequest, scopes []string) error {
	info.AppendClaims("token_use", "id")
	info.AppendClaims("cognito:username", r.GetSubject())
	if groups := p.config.Groups[r.GetSubject()]; groups != nil {
		info.AppendClaims("cognito:groups", groups)
	}
	return p.Storage.SetUserinfoFromRequest(ctx, info, r, scopes)
}

// users are passwords by email address, which is the user's id too.
type users map[string]string

// GetUserByID implements storage.UserStore.
func (u users) GetUserByID(id string) *storage.User {
	password, ok := u[id]
	if !ok {
		return nil
	}
	return &storage.User{ID: id, Username: id, Password: password, Email: id, EmailVerified: true}
}

// GetUserByUsername implements storage.UserStore.
func (u users) GetUserByUsername(name string) *storage.User { return u.GetUserByID(name) }

// ExampleClientID implements storage.UserStore.
func (users) ExampleClientID() string { return "" }
