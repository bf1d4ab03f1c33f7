// This file decides who somebody is that signs in by an external identity provider, which the stand-in plays itself: the same people, as users of their own.
//
// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-identity-federation.html

package cognito

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// providers are those that a client may use.
func (c *client) providers() []string {
	if len(c.Providers) == 0 {
		return []string{"COGNITO"}
	}
	return c.Providers
}

// chosen is the external provider that a request leads to: the one that it names, or the client's first if the pool's own users may not use the client.
func (s *Server) chosen(c *client, named string) string {
	if named == "" && !slices.Contains(c.providers(), "COGNITO") {
		named = c.providers()[0]
	}
	if named == "COGNITO" {
		return ""
	}
	return named
}

// federated is the user that somebody is by way of a provider: made at the first sign-in, in the provider's own group, with the address it tells.
func (s *Server) federated(provider string, u *user) *user {
	if provider == "" {
		return u
	}
	for _, other := range s.users {
		if other.provider == provider && other.email == u.email {
			return other
		}
	}
	f := s.newUser(u.email, map[string]string{})
	id := digestOf(s.cfg.Pool + "/" + provider + "/" + strings.ToLower(u.email))
	f.sub, f.provider, f.status = formatUUID(id[:16]), provider, "EXTERNAL_PROVIDER"
	f.setPassword(formatToken(s.random(32)))
	f.groups = []string{s.cfg.Pool + "_" + provider} // Cognito's own; whoever wants more adds them there
	if name, ok := u.attributes["name"]; ok {
		f.attributes["name"] = name
	}
	if p := s.providerNamed(provider); p.Verified {
		f.attributes["email_verified"] = "true"
	}
	s.users = append(s.users, f)
	return f
}

func (s *Server) providerNamed(name string) Provider {
	i := slices.IndexFunc(s.cfg.Providers, func(p Provider) bool { return p.Name == name })
	if i < 0 {
		return Provider{Name: name, Type: "OIDC"}
	}
	return s.cfg.Providers[i]
}

// username is what tokens call the user: the sub, or the provider and what it calls somebody.
func (u *user) username() string {
	if u.provider == "" {
		return u.sub
	}
	return u.provider + "_" + u.email
}

// identities is the claim that tells where a federated user comes from.
func (s *Server) identities(u *user) []object {
	return []object{{
		{"dateCreated", u.created.UnixMilli()},
		{"userId", u.email},
		{"providerName", u.provider},
		{"providerType", s.providerNamed(u.provider).Type},
		{"issuer", nil},
		{"primary", "true"},
	}}
}

// withProvider is the login page's own address with a provider chosen.
func withProvider(q url.Values, name string) string {
	chosen := maps.Clone(q)
	chosen.Set("identity_provider", name)
	return "/login?" + chosen.Encode()
}
