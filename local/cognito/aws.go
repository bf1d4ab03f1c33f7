// This file decides what the AWS calls answer: SSM's and Cognito's JSON protocols, version 1.1, told apart by X-Amz-Target.
//
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html

package cognito

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

type attribute struct{ Name, Value string }

// awsInput holds the members of every request that is understood.
type awsInput struct {
	// SSM
	Name           string
	WithDecryption bool

	// Cognito
	UserPoolId, ClientId   string
	MaxResults             int
	NextToken              string
	Username, Password     string
	TemporaryPassword      string
	Permanent              bool
	MessageAction          string
	DesiredDeliveryMediums []string
	ForceAliasCreation     bool
	UserAttributes         []attribute
	AuthFlow               string
	AuthParameters         map[string]string
}

type awsError struct{ code, message string }

var credentialScope = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[^/ ]+/\d{8}/([a-z0-9-]+)/([a-z-]+)/aws4_request, ?SignedHeaders=[^ ]+, ?Signature=[0-9a-f]{64}$`)

// serveAWS runs one call. Every error is HTTP 400, throttling too.
func (s *Server) serveAWS(c *call) reply {
	calls := map[string]func(awsInput) (any, *awsError){
		"AmazonSSM.GetParameter":                                   s.getParameter,
		"AWSCognitoIdentityProviderService.DescribeUserPool":       s.describePool,
		"AWSCognitoIdentityProviderService.DescribeUserPoolClient": s.describeClient,
		"AWSCognitoIdentityProviderService.ListUserPoolClients":    s.listClients,
		"AWSCognitoIdentityProviderService.AdminCreateUser":        s.adminCreateUser,
		"AWSCognitoIdentityProviderService.AdminSetUserPassword":   s.adminSetPassword,
		"AWSCognitoIdentityProviderService.AdminInitiateAuth":      s.adminInitiateAuth,
		"AWSCognitoIdentityProviderService.AdminGetUser":           s.adminGetUser,
		"AWSCognitoIdentityProviderService.AdminUserGlobalSignOut": s.adminUserGlobalSignOut,
	}
	target := c.Header.Get("X-Amz-Target")
	run, ok := calls[target]
	if !ok {
		return s.awsReply(nil, &awsError{"UnknownOperationException", "this stand-in does not know the operation"}, "unknown_operation")
	}
	service, operation, _ := strings.Cut(target, ".")
	s.count("aws." + operation)
	if !s.signedFor(c, service) {
		return s.awsReply(nil, &awsError{"MissingAuthenticationTokenException", "the request is not signed for this Region and service"}, operation)
	}
	var in awsInput
	if err := json.Unmarshal(c.body, &in); err != nil {
		return s.awsReply(nil, &awsError{"SerializationException", "the body is not the JSON that this operation takes"}, operation)
	}
	if service != "AmazonSSM" && in.UserPoolId != s.cfg.Pool {
		return s.awsReply(nil, &awsError{"ResourceNotFoundException", "User pool does not exist."}, operation)
	}
	out, failed := run(in)
	return s.awsReply(out, failed, operation)
}

// signedFor reports whether the request claims a signature for the right Region and service; the signature itself is not checked.
func (s *Server) signedFor(c *call, service string) bool {
	name := map[string]string{"AmazonSSM": "ssm", "AWSCognitoIdentityProviderService": "cognito-idp"}[service]
	m := credentialScope.FindStringSubmatch(c.Header.Get("Authorization"))
	return m != nil && m[1] == s.cfg.Region && m[2] == name
}

func (s *Server) awsReply(out any, failed *awsError, operation string) reply {
	rep := newReply(http.StatusOK, "application/x-amz-json-1.1", nil, operation)
	rep.header.Set("X-Amzn-RequestId", s.uuid())
	if failed != nil {
		rep.status, out = http.StatusBadRequest, object{{"__type", failed.code}, {"message", failed.message}}
		rep.outcome += ":" + failed.code
	}
	rep.body = marshal(out)
	return rep
}

// throttled is the error by which AWS says "slow down" for the call's service.
func throttled(target string) *awsError {
	if strings.HasPrefix(target, "AmazonSSM.") {
		return &awsError{"ThrottlingException", "Rate exceeded"}
	}
	return &awsError{"TooManyRequestsException", "Rate exceeded"}
}

func (s *Server) getParameter(in awsInput) (any, *awsError) {
	value, ok := s.parameters[in.Name]
	if !ok {
		return nil, &awsError{"ParameterNotFound", ""}
	}
	return object{{"Parameter", object{
		{"ARN", "arn:aws:ssm:" + s.cfg.Region + ":123456789012:parameter/" + strings.TrimPrefix(in.Name, "/")},
		{"DataType", "text"},
		{"LastModifiedDate", seconds(s.now())},
		{"Name", in.Name},
		{"Type", "String"},
		{"Value", value},
		{"Version", 1},
	}}}, nil
}

func (s *Server) describePool(awsInput) (any, *awsError) {
	return object{{"UserPool", object{
		{"Id", s.cfg.Pool},
		{"Name", s.cfg.Pool},
		{"Arn", "arn:aws:cognito-idp:" + s.cfg.Region + ":123456789012:userpool/" + s.cfg.Pool},
		{"EstimatedNumberOfUsers", len(s.users)},
		{"MfaConfiguration", "OFF"},
		{"UsernameAttributes", []string{"email"}},
		{"AdminCreateUserConfig", object{{"AllowAdminCreateUserOnly", true}}},
	}}}, nil
}

// describeClient tells the secret in clear, as the real one does.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DescribeUserPoolClient.html
func (s *Server) describeClient(in awsInput) (any, *awsError) {
	c := s.client(in.ClientId)
	if c == nil {
		return nil, errNoClient(in.ClientId)
	}
	flow, feature := "code", "DISABLED"
	if c.ClientCredentials {
		flow = "client_credentials"
	}
	if c.Rotation {
		feature = "ENABLED"
	}
	o := object{
		{"UserPoolId", s.cfg.Pool},
		{"ClientName", c.Name},
		{"ClientId", c.ID},
	}
	if c.Secret != "" {
		o.set("ClientSecret", c.Secret)
	}
	o = append(o, object{
		{"AccessTokenValidity", int(c.AccessTokenValidity / time.Second)},
		{"IdTokenValidity", int(c.IDTokenValidity / time.Second)},
		{"RefreshTokenValidity", int(c.RefreshTokenValidity / time.Second)},
		{"TokenValidityUnits", object{{"AccessToken", "seconds"}, {"IdToken", "seconds"}, {"RefreshToken", "seconds"}}},
		{"ExplicitAuthFlows", c.ExplicitAuthFlows},
		{"SupportedIdentityProviders", c.providers()},
		{"CallbackURLs", c.CallbackURLs},
		{"LogoutURLs", c.LogoutURLs},
		{"AllowedOAuthFlows", []string{flow}},
		{"AllowedOAuthScopes", c.Scopes},
		{"AllowedOAuthFlowsUserPoolClient", true},
		{"PreventUserExistenceErrors", "ENABLED"},
		{"EnableTokenRevocation", true},
		{"RefreshTokenRotation", object{{"Feature", feature}, {"RetryGracePeriodSeconds", int(c.RotationGrace / time.Second)}}},
	}...)
	return object{{"UserPoolClient", o}}, nil
}

func (s *Server) listClients(awsInput) (any, *awsError) {
	list := []object{}
	for _, c := range s.clients {
		list = append(list, object{{"ClientId", c.ID}, {"ClientName", c.Name}, {"UserPoolId", s.cfg.Pool}})
	}
	return object{{"UserPoolClients", list}}, nil
}

func errNoClient(id string) *awsError {
	return &awsError{"ResourceNotFoundException", fmt.Sprintf("User pool client %s does not exist.", id)}
}

func (s *Server) adminCreateUser(in awsInput) (any, *awsError) {
	switch {
	case !strings.Contains(in.Username, "@"):
		return nil, &awsError{"InvalidParameterException", "Username should be an email."}
	case s.userNamed(in.Username) != nil:
		return nil, &awsError{"UsernameExistsException", "User account already exists"}
	case in.TemporaryPassword != "" && !goodPassword(in.TemporaryPassword):
		return nil, errPassword
	}
	attributes := map[string]string{}
	for _, a := range in.UserAttributes {
		attributes[a.Name] = a.Value
	}
	delete(attributes, "sub") // Cognito's to choose
	u := s.newUser(in.Username, attributes)
	u.setPassword(in.TemporaryPassword)
	if in.TemporaryPassword == "" {
		u.setPassword(formatToken(s.random(32)))
	}
	s.users = append(s.users, u)
	return object{{"User", u.described("Attributes")}}, nil
}

// described is what is told of a user; the two operations that tell it name the attributes differently.
func (u *user) described(attributes string) object {
	list := []attribute{{"sub", u.sub}}
	for _, name := range slices.Sorted(maps.Keys(u.attributes)) {
		list = append(list, attribute{name, u.attributes[name]})
	}
	return object{
		{"Username", u.sub},
		{attributes, list},
		{"Enabled", !u.disabled},
		{"UserStatus", u.status},
		{"UserCreateDate", seconds(u.created)},
		{"UserLastModifiedDate", seconds(u.created)},
	}
}

// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminGetUser.html
func (s *Server) adminGetUser(in awsInput) (any, *awsError) {
	u := s.userNamed(in.Username)
	if u == nil {
		return nil, &awsError{"UserNotFoundException", "User does not exist."}
	}
	return u.described("UserAttributes"), nil
}

// adminUserGlobalSignOut revokes a user's refresh tokens. The session at the login page goes on, as the real one's does.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminUserGlobalSignOut.html
func (s *Server) adminUserGlobalSignOut(in awsInput) (any, *awsError) {
	u := s.userNamed(in.Username)
	if u == nil {
		return nil, &awsError{"UserNotFoundException", "User does not exist."}
	}
	s.revokeTokens(u)
	return object{}, nil
}

func (s *Server) adminSetPassword(in awsInput) (any, *awsError) {
	u := s.userNamed(in.Username)
	switch {
	case u == nil:
		return nil, &awsError{"UserNotFoundException", "User does not exist."}
	case !goodPassword(in.Password):
		return nil, errPassword
	}
	u.setPassword(in.Password)
	u.status = forcePassword
	if in.Permanent {
		u.status = confirmed
	}
	return object{}, nil
}

var errPassword = &awsError{"InvalidPasswordException", "Password did not conform with policy"}

// goodPassword is Cognito's default policy: eight characters, and of each kind one.
func goodPassword(p string) bool {
	const lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	isSymbol := func(r rune) bool { return !strings.ContainsRune(lower+upper+digits, r) }
	return len(p) >= 8 && strings.ContainsAny(p, lower) && strings.ContainsAny(p, upper) && strings.ContainsAny(p, digits) &&
		strings.ContainsFunc(p, isSymbol)
}

// adminInitiateAuth signs in without a browser. Its tokens have no nonce, and a scope of their own.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminInitiateAuth.html
func (s *Server) adminInitiateAuth(in awsInput) (any, *awsError) {
	c := s.client(in.ClientId)
	if c == nil {
		return nil, errNoClient(in.ClientId)
	}
	if in.AuthFlow != "ADMIN_USER_PASSWORD_AUTH" || !slices.Contains(c.ExplicitAuthFlows, "ALLOW_ADMIN_USER_PASSWORD_AUTH") {
		return nil, &awsError{"InvalidParameterException", "Auth flow not enabled for this client"}
	}
	name := in.AuthParameters["USERNAME"]
	if hash := in.AuthParameters["SECRET_HASH"]; c.Secret != "" && hash == "" {
		return nil, notAuthorized("Client %s is configured with secret but SECRET_HASH was not received", c.ID)
	} else if c.Secret != "" && !same(hash, secretHash(c.Secret, name+c.ID)) && (c.oldSecret == "" || !same(hash, secretHash(c.oldSecret, name+c.ID))) {
		return nil, notAuthorized("Unable to verify secret hash for client %s", c.ID)
	}
	u := s.signIn(name, in.AuthParameters["PASSWORD"])
	if u == nil {
		return nil, notAuthorized("Incorrect username or password.")
	}
	if u.status == forcePassword {
		return object{
			{"ChallengeName", "NEW_PASSWORD_REQUIRED"},
			{"Session", formatToken(s.random(64))},
			{"ChallengeParameters", map[string]string{"USER_ID_FOR_SRP": u.sub, "requiredAttributes": "[]", "userAttributes": "{}"}},
		}, nil
	}
	n := s.newChain(c, u, []string{"aws.cognito.signin.user.admin"}, s.now())
	access, _ := s.issue(n, "", nil)
	return object{
		{"ChallengeParameters", object{}},
		{"AuthenticationResult", object{
			{"AccessToken", access},
			{"ExpiresIn", int(s.accessValidity(c) / time.Second)},
			{"TokenType", "Bearer"},
			{"RefreshToken", s.newRefreshToken(n)},
			{"IdToken", s.issueID(n, "", "", nil)},
		}},
	}, nil
}

func notAuthorized(format string, args ...any) *awsError {
	return &awsError{"NotAuthorizedException", fmt.Sprintf(format, args...)}
}

// secretHash is Cognito's SECRET_HASH over user name and client id.
// https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash
func secretHash(secret, message string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(message))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
