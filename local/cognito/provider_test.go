package cognito_test

import (
	"strings"
	"testing"

	"edgeauth/local/cognito"
)

// Whoever comes by a provider outside is somebody else than the pool's own user of that address: another subject, another name, the provider's group alone,
// and an address that is verified only if the provider says so and the pool takes it over.
func TestFederatedUser(t *testing.T) {
	for _, verified := range []bool{false, true} {
		p := newPool(t, func(c *cognito.Config) {
			c.Providers = []cognito.Provider{{Name: "Okta", Type: "OIDC", Verified: verified}}
			c.Clients[0].Providers = []string{"COGNITO", "Okta"}
		})
		own := p.claims(p.tokens().member("id_token"))
		other := p.claims(p.tokens("identity_provider", "Okta").member("id_token"))
		if other["sub"] == own["sub"] || other["cognito:username"] != "Okta_alice@example.com" || other["email"] != "alice@example.com" {
			t.Errorf("%v", other)
		}
		if groups, _ := other["cognito:groups"].([]any); len(groups) != 1 || groups[0] != poolID+"_Okta" {
			t.Errorf("groups %v", other["cognito:groups"])
		}
		if (other["email_verified"] == true) != verified {
			t.Errorf("verified %v: %v", verified, other["email_verified"])
		}
		if identities, _ := other["identities"].([]any); len(identities) != 1 || own["identities"] != nil {
			t.Errorf("identities %v and %v", other["identities"], own["identities"])
		}
		again := p.claims(p.tokens("identity_provider", "Okta").member("id_token"))
		if again["sub"] != other["sub"] {
			t.Error("another subject at the second sign-in")
		}
	}
}

// Where the pool's own users may not sign in, the provider is where everybody is led; a provider that the client may not use is no such provider.
func TestProviderOfAClient(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) {
		c.Providers = []cognito.Provider{{Name: "Okta", Type: "SAML"}}
		c.Clients[0].Providers = []string{"Okta"}
	})
	if claims := p.claims(p.tokens().member("id_token")); !strings.HasPrefix(claims["cognito:username"].(string), "Okta_") {
		t.Errorf("%v", claims)
	}
	for _, refused := range []string{"COGNITO", "Google"} {
		if q := get(p.browser(), p.authorizeURL("identity_provider", refused)).location().Query(); q.Get("error") != "invalid_request" {
			t.Errorf("%s: %v", refused, q)
		}
	}
}
