// Rules of the AWS calls, asked with AWS's own clients.

package cognito_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"edgeauth/local/cognito"
)

func (p *pool) aws(region string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String(p.url), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local", SessionToken: "local"}, nil
		}),
	}
}

func (p *pool) idp() *cognitoidentityprovider.Client {
	return cognitoidentityprovider.NewFromConfig(p.aws("eu-west-1"))
}

// failed reports whether err is this error of AWS's model.
func failed[T error](t *testing.T, name string, err error) {
	t.Helper()
	var want T
	if !errors.As(err, &want) {
		t.Errorf("%s: got %v", name, err)
	}
}

func TestGetParameter(t *testing.T) {
	p := newPool(t)
	ctx := context.Background()
	client := ssm.NewFromConfig(p.aws("eu-west-1"))
	out, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/app/auth")})
	if err != nil || *out.Parameter.Value != `{"client_id":"appclient1"}` || *out.Parameter.Name != "/app/auth" || out.Parameter.LastModifiedDate.Unix() != start.Unix() {
		t.Errorf("got %+v, %v", out, err)
	}
	_, err = client.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/app/other")})
	failed[*ssmtypes.ParameterNotFound](t, "unknown", err)

	p.ask("parameter", `{"name":"/app/other","value":"v"}`)
	if out, err = client.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/app/other")}); err != nil || *out.Parameter.Value != "v" {
		t.Errorf("got %v", err)
	}
	p.ask("parameter", `{"name":"/app/auth","value":null}`)
	_, err = client.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/app/auth")})
	failed[*ssmtypes.ParameterNotFound](t, "removed", err)
}

func TestDescribeUserPoolClient(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) { c.Clients[0].Rotation, c.Clients[0].RotationGrace = true, 10*time.Second })
	ctx := context.Background()
	describe := func(pool, client string) (*idp.UserPoolClientType, error) {
		out, err := p.idp().DescribeUserPoolClient(ctx, &cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: &pool, ClientId: &client})
		if err != nil {
			return nil, err
		}
		return out.UserPoolClient, nil
	}
	c, err := describe(poolID, appID)
	if err != nil {
		t.Fatal(err)
	}
	if *c.ClientSecret != appSecret || *c.ClientId != appID || c.CallbackURLs[0] != callback || c.LogoutURLs[0] != signedOut || *c.IdTokenValidity != 3600 ||
		c.TokenValidityUnits.IdToken != "seconds" || c.RefreshTokenRotation.Feature != "ENABLED" || *c.RefreshTokenRotation.RetryGracePeriodSeconds != 10 ||
		c.AllowedOAuthFlows[0] != "code" || c.AllowedOAuthScopes[0] != "openid" || !*c.AllowedOAuthFlowsUserPoolClient {
		t.Errorf("got %+v", c)
	}
	if c, err = describe(poolID, machineID); err != nil || c.AllowedOAuthFlows[0] != "client_credentials" {
		t.Errorf("got %+v, %v", c, err)
	}
	_, err = describe(poolID, "nobody")
	failed[*idp.ResourceNotFoundException](t, "unknown client", err)
	_, err = describe("eu-west-1_Other0001", appID)
	failed[*idp.ResourceNotFoundException](t, "unknown pool", err)

	list, err := p.idp().ListUserPoolClients(ctx, &cognitoidentityprovider.ListUserPoolClientsInput{UserPoolId: aws.String(poolID)})
	if err != nil || len(list.UserPoolClients) != 3 || *list.UserPoolClients[0].ClientName != "App" {
		t.Errorf("got %+v, %v", list, err)
	}
	pool, err := p.idp().DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: aws.String(poolID)})
	if err != nil || *pool.UserPool.Id != poolID {
		t.Errorf("got %+v, %v", pool, err)
	}
}

func secretHash(user string) string {
	mac := hmac.New(sha256.New, []byte(appSecret))
	mac.Write([]byte(user + appID))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestAdminUsers(t *testing.T) {
	p := newPool(t)
	ctx := context.Background()
	pool, name := aws.String(poolID), aws.String("dora@example.com")
	created, err := p.idp().AdminCreateUser(ctx, &cognitoidentityprovider.AdminCreateUserInput{
		UserPoolId: pool, Username: name, TemporaryPassword: aws.String("Temporary-1"), MessageAction: idp.MessageActionTypeSuppress,
		UserAttributes: []idp.AttributeType{{Name: aws.String("email"), Value: name}, {Name: aws.String("email_verified"), Value: aws.String("true")}},
	})
	if err != nil || created.User.UserStatus != idp.UserStatusTypeForceChangePassword {
		t.Fatalf("got %+v, %v", created, err)
	}
	_, err = p.idp().AdminCreateUser(ctx, &cognitoidentityprovider.AdminCreateUserInput{UserPoolId: pool, Username: aws.String("DORA@example.com")})
	failed[*idp.UsernameExistsException](t, "again", err)
	_, err = p.idp().AdminCreateUser(ctx, &cognitoidentityprovider.AdminCreateUserInput{UserPoolId: pool, Username: aws.String("dora")})
	failed[*idp.InvalidParameterException](t, "no address", err)

	signIn := func(password string) (*cognitoidentityprovider.AdminInitiateAuthOutput, error) {
		return p.idp().AdminInitiateAuth(ctx, &cognitoidentityprovider.AdminInitiateAuthInput{
			UserPoolId: pool, ClientId: aws.String(appID), AuthFlow: idp.AuthFlowTypeAdminUserPasswordAuth,
			AuthParameters: map[string]string{"USERNAME": *name, "PASSWORD": password, "SECRET_HASH": secretHash(*name)},
		})
	}
	if out, err := signIn("Temporary-1"); err != nil || out.ChallengeName != idp.ChallengeNameTypeNewPasswordRequired || out.AuthenticationResult != nil {
		t.Errorf("got %+v, %v", out, err)
	}
	if a := p.signIn(p.browser(), p.authorizeURL(), *name, "Temporary-1"); a.status != 400 || !strings.Contains(a.body, "has to choose a new password") {
		t.Errorf("login page: %d", a.status)
	}
	set := func(user, password string) error {
		_, err := p.idp().AdminSetUserPassword(ctx, &cognitoidentityprovider.AdminSetUserPasswordInput{UserPoolId: pool, Username: &user, Password: &password, Permanent: true})
		return err
	}
	for _, weak := range []string{"Short-1", "no-upper-1", "NO-LOWER-1", "No-Digits", "NoSymbol1"} {
		failed[*idp.InvalidPasswordException](t, weak, set(*name, weak))
	}
	failed[*idp.UserNotFoundException](t, "nobody", set("nobody@example.com", "Permanent-1"))
	if err := set(*name, "Permanent-1"); err != nil {
		t.Fatal(err)
	}
	_, err = signIn("Temporary-1")
	failed[*idp.NotAuthorizedException](t, "old password", err)
	out, err := signIn("Permanent-1")
	if err != nil {
		t.Fatal(err)
	}
	access := p.claims(*out.AuthenticationResult.AccessToken)
	if access["scope"] != "aws.cognito.signin.user.admin" || access["sub"] != *created.User.Username {
		t.Errorf("claims %v", access)
	}
	id := p.claims(*out.AuthenticationResult.IdToken)
	if id["nonce"] != nil || id["at_hash"] != nil || id["email"] != *name || id["email_verified"] != true || id["aud"] != appID {
		t.Errorf("claims %v", id)
	}
	if a := p.userInfo(*out.AuthenticationResult.AccessToken); a.status != 401 {
		t.Errorf("userInfo took it: %d", a.status)
	}
	if a := p.token(renewal(*out.AuthenticationResult.RefreshToken)); a.status != 200 {
		t.Error(a.body)
	}
}

func TestAdminInitiateAuthRefuses(t *testing.T) {
	p := newPool(t)
	call := func(client string, flow idp.AuthFlowType, changes ...string) error {
		in := map[string]string{"USERNAME": "alice@example.com", "PASSWORD": password, "SECRET_HASH": secretHash("alice@example.com")}
		for i := 0; i < len(changes); i += 2 {
			in[changes[i]] = changes[i+1]
		}
		_, err := p.idp().AdminInitiateAuth(context.Background(), &cognitoidentityprovider.AdminInitiateAuthInput{
			UserPoolId: aws.String(poolID), ClientId: &client, AuthFlow: flow, AuthParameters: in,
		})
		return err
	}
	const flow = idp.AuthFlowTypeAdminUserPasswordAuth
	if err := call(appID, flow); err != nil {
		t.Fatal(err)
	}
	failed[*idp.InvalidParameterException](t, "flow that the client does not list", call(otherID, flow))
	failed[*idp.InvalidParameterException](t, "other flow", call(appID, idp.AuthFlowTypeUserPasswordAuth))
	failed[*idp.ResourceNotFoundException](t, "unknown client", call("nobody", flow))
	failed[*idp.NotAuthorizedException](t, "no hash", call(appID, flow, "SECRET_HASH", ""))
	failed[*idp.NotAuthorizedException](t, "wrong hash", call(appID, flow, "SECRET_HASH", secretHash("bob@example.com")))
	failed[*idp.NotAuthorizedException](t, "wrong password", call(appID, flow, "PASSWORD", "wrong"))
	failed[*idp.NotAuthorizedException](t, "unknown user", call(appID, flow, "USERNAME", "nobody@example.com", "SECRET_HASH", secretHash("nobody@example.com")))
	p.ask("user", `{"user":"alice@example.com","disabled":true}`)
	failed[*idp.NotAuthorizedException](t, "disabled", call(appID, flow))
}

func TestThrottling(t *testing.T) {
	p := newPool(t)
	ctx := context.Background()
	p.ask("fault", `{"at":"aws","kind":"throttle","target":"DescribeUserPoolClient"}`)
	if _, err := ssm.NewFromConfig(p.aws("eu-west-1")).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/app/auth")}); err != nil {
		t.Errorf("the fault hit another operation: %v", err)
	}
	in := &cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: aws.String(poolID), ClientId: aws.String(appID)}
	_, err := p.idp().DescribeUserPoolClient(ctx, in)
	failed[*idp.TooManyRequestsException](t, "throttled", err)
	var status interface{ HTTPStatusCode() int }
	if !errors.As(err, &status) || status.HTTPStatusCode() != 400 {
		t.Errorf("not HTTP 400: %v", err)
	}
	if _, err := p.idp().DescribeUserPoolClient(ctx, in); err != nil {
		t.Errorf("the fault went on: %v", err)
	}
}

func TestUnsignedAndMisdirectedCalls(t *testing.T) {
	p := newPool(t)
	for name, header := range map[string]string{
		"unsigned":      "",
		"other Region":  "AWS4-HMAC-SHA256 Credential=a/20260102/eu-west-2/ssm/aws4_request, SignedHeaders=host, Signature=" + strings.Repeat("0", 64),
		"other service": "AWS4-HMAC-SHA256 Credential=a/20260102/eu-west-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=" + strings.Repeat("0", 64),
	} {
		req, err := http.NewRequest("POST", p.url+"/", strings.NewReader(`{"Name":"/app/auth"}`))
		req.Header.Set("X-Amz-Target", "AmazonSSM.GetParameter")
		req.Header.Set("Authorization", header)
		if a := send(p.browser(), req, err); a.status != 400 || a.member("__type") != "MissingAuthenticationTokenException" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if _, err := ssm.NewFromConfig(p.aws("us-east-1")).GetParameter(context.Background(), &ssm.GetParameterInput{Name: aws.String("/app/auth")}); err == nil {
		t.Error("a client of another Region was answered")
	}
	req, err := http.NewRequest("POST", p.url+"/", strings.NewReader(`{}`))
	req.Header.Set("X-Amz-Target", "AmazonSSM.DeleteParameter")
	if a := send(p.browser(), req, err); a.member("__type") != "UnknownOperationException" {
		t.Errorf("got %s", a.body)
	}
}

// To sign somebody out everywhere is to revoke refresh tokens, and nobody else's. The session at the login page goes on, as at Cognito.
func TestAdminUserGlobalSignOut(t *testing.T) {
	p := newPool(t)
	ctx := context.Background()
	pool := aws.String(poolID)
	refresh := map[string]string{}
	for _, name := range []string{"alice@example.com", "bob@example.com"} {
		out, err := p.idp().AdminInitiateAuth(ctx, &cognitoidentityprovider.AdminInitiateAuthInput{
			UserPoolId: pool, ClientId: aws.String(appID), AuthFlow: idp.AuthFlowTypeAdminUserPasswordAuth,
			AuthParameters: map[string]string{"USERNAME": name, "PASSWORD": password, "SECRET_HASH": secretHash(name)},
		})
		if err != nil {
			t.Fatal(err)
		}
		refresh[name] = *out.AuthenticationResult.RefreshToken
	}
	b := p.browser()
	p.signIn(b, p.authorizeURL(), "alice@example.com", password)

	got, err := p.idp().AdminGetUser(ctx, &cognitoidentityprovider.AdminGetUserInput{UserPoolId: pool, Username: aws.String("alice@example.com")})
	if err != nil || *got.UserAttributes[0].Name != "sub" || *got.UserAttributes[0].Value != *got.Username || !got.Enabled {
		t.Fatalf("got %+v, %v", got, err)
	}
	out := func(name string) error {
		_, err := p.idp().AdminUserGlobalSignOut(ctx, &cognitoidentityprovider.AdminUserGlobalSignOutInput{UserPoolId: pool, Username: &name})
		return err
	}
	failed[*idp.UserNotFoundException](t, "nobody", out("nobody@example.com"))
	_, err = p.idp().AdminGetUser(ctx, &cognitoidentityprovider.AdminGetUserInput{UserPoolId: pool, Username: aws.String("nobody@example.com")})
	failed[*idp.UserNotFoundException](t, "nobody", err)
	if err := out("alice@example.com"); err != nil {
		t.Fatal(err)
	}
	if a := p.token(renewal(refresh["alice@example.com"])); a.status != 400 || !strings.Contains(a.body, "invalid_grant") {
		t.Errorf("alice renews: %d %s", a.status, a.body)
	}
	if a := p.token(renewal(refresh["bob@example.com"])); a.status != 200 {
		t.Errorf("bob renews no more: %d %s", a.status, a.body)
	}
	if a := get(b, p.authorizeURL()); a.status != 302 || !strings.HasPrefix(a.header.Get("Location"), callback+"?code=") {
		t.Errorf("the login page asks again: %d %s", a.status, a.header.Get("Location"))
	}
}
