package sam

// This file reads the user pool, what belongs to it, and SSM parameters.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/AWS_Cognito.html

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	poolType      = "AWS::Cognito::UserPool"
	clientType    = "AWS::Cognito::UserPoolClient"
	domainType    = "AWS::Cognito::UserPoolDomain"
	groupType     = "AWS::Cognito::UserPoolGroup"
	parameterType = "AWS::SSM::Parameter"
	providerType  = "AWS::Cognito::UserPoolIdentityProvider"
)

func (t *template) readPool(_ *Model, id string, p *properties) {
	if t.pool != "" {
		p.fail("", errors.New("only one user pool is modelled"))
	}
	t.pool = PoolID
	if p.fields["EnabledMfas"] != nil && p.get("EnabledMfas") != nil && p.text("MfaConfiguration") == "OFF" {
		p.fail("EnabledMfas", errors.New("refused by Cognito beside MfaConfiguration OFF"))
	}
	p.aside("AccountRecoverySetting", "AdminCreateUserConfig", "AutoVerifiedAttributes", "DeletionProtection", "EnabledMfas", "MfaConfiguration", "Policies",
		"UserPoolName", "UserPoolTags", "UserPoolTier")
	if names := p.texts("UsernameAttributes"); len(names) != 1 || names[0] != "email" {
		t.setAside(t.path + id + ": UsernameAttributes: people sign in with an e-mail address here")
	}
	names := p.sub("UsernameConfiguration")
	if names.boolean("CaseSensitive", false) {
		t.setAside(t.path + id + ": UsernameConfiguration.CaseSensitive: upper and lower case are the same here")
	}
	_ = names.done()
	p.leave()
}

// ofPool wants a resource to belong to the one pool: the stacks' own, or the one that is there already.
func (t *template) ofPool(p *properties) {
	switch id := p.need("UserPoolId"); {
	case t.ownPool:
		p.is("UserPoolId", PoolID)
	case t.pool == "" && !strings.HasPrefix(id, Region+"_"):
		p.fail("UserPoolId", fmt.Errorf("%q is no pool of %s, where everything is here: name one that begins with %s_", id, Region, Region))
	case t.pool == "":
		t.pool = id
	default:
		p.is("UserPoolId", t.pool)
	}
}

// providerURL is the pool's issuer.
func (t *template) providerURL() string {
	if t.pool == "" {
		return ""
	}
	return t.dns.Replace("https://cognito-idp." + Region + "." + urlSuffix + "/" + t.pool)
}

func (t *template) readDomain(m *Model, _ string, p *properties) {
	p.aside("ManagedLoginVersion")
	p.aside("CustomDomainConfig") // its host leads here like any other
	t.ofPool(p)
	m.Pool.Domain = p.need("Domain")
	if word := refusedInDomain.FindString(m.Pool.Domain); word != "" && p.fields["CustomDomainConfig"] == nil {
		p.fail("Domain", fmt.Errorf("a prefix with the word %s is refused by Cognito", word))
	}
}

var refusedInDomain = regexp.MustCompile(`aws|amazon|cognito`)

func (t *template) readGroup(m *Model, _ string, p *properties) {
	p.aside("Description", "Precedence", "RoleArn")
	t.ofPool(p)
	m.Pool.Groups = append(m.Pool.Groups, p.need("GroupName"))
}

func (t *template) readProvider(m *Model, _ string, p *properties) {
	p.aside("ProviderDetails", "IdpIdentifiers") // the stand-in plays the provider, whatever its address
	t.ofPool(p)
	mapping := p.textMap("AttributeMapping")
	m.Pool.Providers = append(m.Pool.Providers, Provider{Name: p.need("ProviderName"), Type: p.need("ProviderType"), Verified: mapping["email_verified"] != ""})
}

// checkProviders wants a client's providers to be there, or Cognito refuses the client. Those of a pool that exists already cannot be known.
func (t *template) checkProviders(p *Pool) error {
	for _, c := range p.Clients {
		for _, name := range c.Providers {
			known := name == "COGNITO" || slices.ContainsFunc(p.Providers, func(other Provider) bool { return other.Name == name })
			if !known && t.ownPool {
				return fmt.Errorf("app client %s: the pool has no identity provider %s", c.Name, name)
			}
			if !known {
				p.Providers = append(p.Providers, Provider{Name: name, Type: "OIDC"})
			}
		}
	}
	return nil
}

func (t *template) readResourceServer(m *Model, _ string, p *properties) {
	p.aside("Name")
	t.ofPool(p)
	identifier := p.need("Identifier")
	scopes, _ := p.get("Scopes").([]any)
	for _, one := range scopes {
		s := t.reader(p.place+": Scopes", one)
		s.aside("ScopeDescription")
		m.Pool.Scopes = append(m.Pool.Scopes, identifier+"/"+s.need("ScopeName"))
		p.fail("Scopes", s.done())
	}
}

func (t *template) readClient(m *Model, id string, p *properties) {
	p.aside("PreventUserExistenceErrors", "AuthSessionValidity", "WriteAttributes") // nobody changes attributes here
	t.ofPool(p)
	units := p.sub("TokenValidityUnits")
	validity := func(name, unit string, otherwise time.Duration) time.Duration {
		if u := units.text(name); u != "" {
			unit = u
		}
		length := map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}[unit]
		if length == 0 {
			units.fail(name, fmt.Errorf("%q is no unit", unit))
		}
		if n, ok := p.integer(name + "Validity"); ok && n > 0 {
			return time.Duration(n) * length
		}
		return otherwise
	}
	c := Client{
		ID:                   clientID(t.path + id),
		Name:                 p.text("ClientName"),
		CallbackURLs:         p.texts("CallbackURLs"),
		LogoutURLs:           p.texts("LogoutURLs"),
		Scopes:               p.texts("AllowedOAuthScopes"),
		Flows:                p.texts("AllowedOAuthFlows"),
		AuthFlows:            p.texts("ExplicitAuthFlows"),
		IDTokenValidity:      validity("IdToken", "hours", time.Hour),
		AccessTokenValidity:  validity("AccessToken", "hours", time.Hour),
		RefreshTokenValidity: validity("RefreshToken", "days", 30*24*time.Hour),
		Revocation:           p.boolean("EnableTokenRevocation", true),
	}
	_ = units.done()
	if len(c.Flows) > 0 && !p.boolean("AllowedOAuthFlowsUserPoolClient", false) {
		p.fail("AllowedOAuthFlowsUserPoolClient", errors.New("without it the client may use no OAuth flow"))
	}
	c.Providers = p.texts("SupportedIdentityProviders")
	rotation := p.sub("RefreshTokenRotation")
	c.Rotation = rotation.text("Feature") == "ENABLED"
	c.RotationGrace = rotation.seconds("RetryGracePeriodSeconds", 0)
	_ = rotation.done()
	p.aside("GenerateSecret")
	p.leave()
	if len(c.Flows) == 0 {
		t.setAside(t.path + id + ", an app client without OAuth flows: nobody can sign in by it here")
		return
	}
	if p.boolean("GenerateSecret", false) {
		if t.options.ClientSecret == nil {
			p.fail("GenerateSecret", errors.New("nobody makes a secret"))
			return
		}
		c.Secret = t.options.ClientSecret(t.path + id)
	}
	m.Pool.Clients = append(m.Pool.Clients, c)
}

// checkScopes wants every custom scope of a client to be one of a resource server, or Cognito refuses the client.
func checkScopes(p Pool) error {
	for _, c := range p.Clients {
		for _, scope := range c.Scopes {
			if strings.Contains(scope, "/") && !slices.Contains(p.Scopes, scope) {
				return fmt.Errorf("app client %s: no resource server has the scope %s", c.Name, scope)
			}
		}
	}
	return nil
}

func (t *template) readParameter(m *Model, id string, p *properties) {
	p.aside("Description", "Tags", "Tier", "Name")
	p.is("Type", "String")
	name, err := t.ref(id)
	p.fail("Name", err)
	s, _ := name.(string)
	if begin := strings.ToLower(strings.TrimPrefix(s, "/")); strings.HasPrefix(begin, "aws") || strings.HasPrefix(begin, "ssm") {
		p.fail("Name", fmt.Errorf("%s: Parameter Store refuses a name that begins with aws or ssm", s))
	}
	m.Parameters[s] = p.need("Value")
}
