// Package cutoff ends sessions by hand, with the caller's own AWS credentials: a person's, or everybody's. The tool alone links it.
package cutoff

// This file decides in which order a person is signed out at Cognito and cut off here, and what becomes of the one when the other fails.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"edgeauth/cuts"
	"edgeauth/internal/stack"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// Application is where sessions are ended: a user pool, and the table of endings that its authorizer reads.
type Application struct {
	Pool, Table string
	Every       time.Duration // how soon an ending counts everywhere; 0: nobody has said

	aws  aws.Config
	list *cuts.List
}

// How long an ending has to be remembered: as long as what it ends may live.
// https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
const (
	slack     = 10 * time.Minute // for clocks that differ
	ofTokens  = 24*time.Hour + slack
	ofRenewal = 3650*24*time.Hour + slack
)

// errNoList is what an application without a list of endings comes to.
var errNoList = errors.New("keeps no list of endings: deploy it with the parameter CutOffSeconds")

// OfStack returns the application that a stack has deployed.
func OfStack(ctx context.Context, c aws.Config, name string, lookup func(string) (string, bool)) (*Application, error) {
	s, err := stack.Find(ctx, c, name)
	if err != nil {
		return nil, err
	}
	part, err := s.Part()
	if err != nil {
		return nil, err
	}
	a := &Application{Pool: part.Pool(), Table: part.Resources["CutsTable"].ID, aws: c}
	if a.Table == "" {
		return nil, fmt.Errorf("stack %s %w", name, errNoList)
	}
	seconds, _ := strconv.Atoi(part.Parameters["CutOffSeconds"])
	a.Every = time.Duration(seconds) * time.Second
	return a, a.open(ctx, lookup)
}

// Here returns the application that runs on this machine, with stand-ins for AWS at an address. name is the parameter Name.
func Here(ctx context.Context, endpoint, name string) (*Application, error) {
	c := aws.Config{Region: "eu-west-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("LOCAL", "local", "")}
	parameter := "/" + name + "/auth"
	out, err := ssm.NewFromConfig(c).GetParameter(ctx, &ssm.GetParameterInput{Name: &parameter})
	if err != nil {
		return nil, refused("ssm:GetParameter", parameter, err)
	}
	var p struct {
		Pool  string `json:"user_pool_id"`
		Table string `json:"cuts"`
	}
	if json.Unmarshal([]byte(aws.ToString(out.Parameter.Value)), &p) != nil || p.Table == "" {
		return nil, fmt.Errorf("application %s %w", name, errNoList)
	}
	a := &Application{Pool: p.Pool, Table: p.Table, aws: c}
	return a, a.open(ctx, func(string) (string, bool) { return "", false })
}

// open makes the list. The table is where the SDKs' own variables say.
func (a *Application) open(ctx context.Context, lookup func(string) (string, bool)) error {
	key, err := a.aws.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("there are no AWS credentials: %w", err)
	}
	c := cuts.FromEnvironment(lookup, a.Table)
	c.Region, c.Every = a.aws.Region, cuts.MinEvery
	if c.Endpoint == "" {
		c.Endpoint = aws.ToString(a.aws.BaseEndpoint)
	}
	c.Credentials = cuts.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey, SessionToken: key.SessionToken}
	a.list, err = cuts.New(c)
	return err
}

// Person is whose sessions were ended.
type Person struct {
	Subject   string // sub
	SignedOut bool   // at Cognito too, where refresh tokens are worth nothing any more
}

// Person ends all sessions of a person that began before now. Cognito revokes the refresh tokens first; should it refuse to, the entry is written all the
// same, and remembered for as long as the longest refresh token lives. The error then says why; the person is out here all the same.
func (a *Application) Person(ctx context.Context, name string) (Person, error) {
	idp := cognitoidentityprovider.NewFromConfig(a.aws)
	p, err := a.find(ctx, idp, name)
	if err != nil {
		return p, err
	}
	life := ofRenewal
	_, failed := idp.AdminUserGlobalSignOut(ctx, &cognitoidentityprovider.AdminUserGlobalSignOutInput{UserPoolId: &a.Pool, Username: &name})
	switch {
	case failed == nil:
		p.SignedOut, life = true, ofTokens
	case codeOf(failed) == "UserNotFoundException": // somebody deleted: Cognito renews nothing of theirs
		failed, life = nil, ofTokens
	default:
		failed = fmt.Errorf("%w; the sessions are ended here all the same", refused("cognito-idp:AdminUserGlobalSignOut", a.Pool, failed))
	}
	if err := a.list.End(ctx, cuts.User, p.Subject, life); err != nil {
		return p, errors.Join(failed, a.unwritten(err))
	}
	return p, failed
}

// subject is what a sub looks like.
var subject = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// find returns who a name means: a user of the pool, or the sub of one who was deleted.
func (a *Application) find(ctx context.Context, idp *cognitoidentityprovider.Client, name string) (Person, error) {
	out, err := idp.AdminGetUser(ctx, &cognitoidentityprovider.AdminGetUserInput{UserPoolId: &a.Pool, Username: &name})
	if codeOf(err) == "UserNotFoundException" {
		if subject.MatchString(name) {
			return Person{Subject: name}, nil
		}
		return Person{}, fmt.Errorf("nobody is named %s in the user pool %s; of somebody who was deleted, say the sub", name, a.Pool)
	}
	if err != nil {
		return Person{}, refused("cognito-idp:AdminGetUser", a.Pool, err)
	}
	for _, attribute := range out.UserAttributes {
		if aws.ToString(attribute.Name) == "sub" {
			return Person{Subject: aws.ToString(attribute.Value)}, nil
		}
	}
	return Person{}, fmt.Errorf("cognito-idp:AdminGetUser: %s has no sub", name)
}

// Everybody ends all sessions that began before now. Nobody is signed out at Cognito, where the pool may serve other applications too: the callback
// renews none of these sessions, for as long as the longest refresh token lives.
func (a *Application) Everybody(ctx context.Context) error {
	return a.unwritten(a.list.End(ctx, cuts.Everybody, "", ofRenewal))
}

// Entries returns who was cut off and when, oldest first, without what has run out.
func (a *Application) Entries(ctx context.Context) ([]cuts.Entry, error) {
	all, err := a.list.Entries(ctx)
	if err != nil {
		return nil, refused("dynamodb:Query", "table "+a.Table, err)
	}
	var live []cuts.Entry
	for _, e := range all {
		if e.Ends.IsZero() || e.Ends.After(time.Now()) {
			live = append(live, e)
		}
	}
	return live, nil
}

func (a *Application) unwritten(err error) error {
	if err == nil {
		return nil
	}
	return refused("dynamodb:PutItem", "table "+a.Table, err)
}

// codeOf is how AWS names an error, or "".
func codeOf(err error) string {
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		return coded.ErrorCode()
	}
	return ""
}

// refused says what failed, and which right is missing if that is why.
func refused(right, on string, err error) error {
	code := codeOf(err)
	switch {
	case strings.HasPrefix(code, "AccessDenied") || errors.Is(err, cuts.ErrStatus) && strings.HasSuffix(err.Error(), " AccessDeniedException"):
		return fmt.Errorf("your credentials lack the right %s on %s", right, on)
	case code != "":
		return fmt.Errorf("%s on %s: %s", right, on, code)
	}
	return fmt.Errorf("%s on %s: %w", right, on, err)
}
