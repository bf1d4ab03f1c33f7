package sam

import (
	"strings"
	"testing"
)

// A provider outside is one of the pool's, by name; whether addresses are verified is what its attribute mapping says.
func TestExternalProvider(t *testing.T) {
	text := strings.Replace(source(t), "SupportedIdentityProviders: [COGNITO]", "SupportedIdentityProviders: [COGNITO, !Ref Okta]", 1)
	text = strings.Replace(text, "  Logs: { Type: AWS::Logs::LogGroup }", `  Logs: { Type: AWS::Logs::LogGroup }
  Okta:
    Type: AWS::Cognito::UserPoolIdentityProvider
    Properties:
      UserPoolId: !Ref UserPool
      ProviderName: Okta
      ProviderType: OIDC
      ProviderDetails: { client_secret: '{{resolve:secretsmanager:x}}' }
      AttributeMapping: { email: email, email_verified: email_verified }`, 1)
	m := parse(t, text, nil)
	equal(t, "providers", m.Pool.Providers, []Provider{{Name: "Okta", Type: "OIDC", Verified: true}})
	equal(t, "client's", m.Pool.Clients[0].Providers, []string{"COGNITO", "Okta"})
	m = parse(t, strings.Replace(text, ", email_verified: email_verified", "", 1), nil)
	equal(t, "without the mapping", m.Pool.Providers[0].Verified, false)
}
