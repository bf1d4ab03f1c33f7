package main

// This file gets an access token as a program would and prints it: of a user by the code flow, whose last redirect it keeps for itself, or of the machine
// client by client credentials. The client's secret comes from DescribeUserPoolClient, as on AWS; here the stand-in answers it, to anybody who asks.

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"edgeauth/local/sam"
)

// token gets an access token and prints it as curl -H "Authorization: Bearer …" takes it.
func token(ctx context.Context, args []string, stdout io.Writer) error {
	var base, user, password string
	var machine bool
	f := flag.NewFlagSet("local token", flag.ContinueOnError)
	f.StringVar(&base, "url", "http://localhost:3000/Prod", "where the app is, with its stage")
	f.StringVar(&user, "user", "alice@example.com", "who signs in")
	f.StringVar(&password, "password", "Open-sesame-1", "with which password")
	f.BoolVar(&machine, "machine", false, "a token of the machine client, which the parameter MachineScope makes, and of no user")
	if err := parse(f, args, stdout); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	v, err := newVisitor(base, user, password)
	if err != nil {
		return fmt.Errorf("local token: %w", err)
	}
	access, err := v.accessToken(ctx, machine)
	if err != nil {
		return fmt.Errorf("local token: %w", err)
	}
	fmt.Fprintln(stdout, access)
	return nil
}

func (v *visitor) accessToken(ctx context.Context, machine bool) (string, error) {
	authorize, err := v.authorize(ctx)
	if err != nil {
		return "", err
	}
	pool := standIn{http.Client{Timeout: 30 * time.Second}, originOf(authorize)}
	if machine {
		client, err := pool.machine(ctx)
		if err != nil {
			return "", err
		}
		return pool.grant(ctx, client, url.Values{"grant_type": {"client_credentials"}})
	}
	client, err := pool.describe(ctx, authorize.Query().Get("client_id"))
	if err != nil {
		return "", err
	}
	form, err := v.code(ctx, authorize)
	if err != nil {
		return "", err
	}
	return pool.grant(ctx, client, form)
}

// authorize is where the application sends browsers to sign in.
func (v *visitor) authorize(ctx context.Context) (*url.URL, error) {
	elsewhere := func(p page) bool {
		to, err := p.at.Parse(p.to)
		return p.to != "" && err == nil && to.Host != v.app.Host
	}
	p, err := v.walk(ctx, v.app.JoinPath("auth/login"), elsewhere)
	if err != nil {
		return nil, err
	}
	to, err := p.at.Parse(p.to)
	if err == nil && !net.ParseIP(to.Hostname()).IsLoopback() {
		err = errors.New("the login page is not on this machine; docs/machines.md says how to get a token from AWS")
	}
	return to, err
}

// code signs in with a PKCE pair of its own and returns what is exchanged for a token. The code never gets to the application, which did not ask for it.
func (v *visitor) code(ctx context.Context, authorize *url.URL) (url.Values, error) {
	verifier := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	query := authorize.Query()
	query.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
	redirect := query.Get("redirect_uri")
	start := *authorize
	start.RawQuery = query.Encode()
	p, err := v.walk(ctx, &start, func(p page) bool { return strings.HasPrefix(p.to, redirect+"?") })
	if err != nil {
		return nil, err
	}
	back, err := url.Parse(p.to)
	if err != nil || back.Query().Get("code") == "" {
		return nil, errors.New("the login page gives no code")
	}
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {redirect}, "code_verifier": {verifier},
	}, nil
}

// standIn is the Cognito of a running local system.
type standIn struct {
	http   http.Client
	origin string
}

// appClient is what DescribeUserPoolClient says of an app client.
type appClient struct {
	ID     string   `json:"ClientId"`
	Secret string   `json:"ClientSecret"`
	Flows  []string `json:"AllowedOAuthFlows"`
}

func (s standIn) describe(ctx context.Context, id string) (appClient, error) {
	var answer struct{ UserPoolClient appClient }
	err := s.ask(ctx, "DescribeUserPoolClient", map[string]string{"UserPoolId": sam.PoolID, "ClientId": id}, &answer)
	return answer.UserPoolClient, err
}

// machine finds the client that gets tokens for itself.
func (s standIn) machine(ctx context.Context) (appClient, error) {
	var all struct{ UserPoolClients []appClient }
	if err := s.ask(ctx, "ListUserPoolClients", map[string]string{"UserPoolId": sam.PoolID}, &all); err != nil {
		return appClient{}, err
	}
	for _, one := range all.UserPoolClients {
		c, err := s.describe(ctx, one.ID)
		if err != nil || slices.Contains(c.Flows, "client_credentials") {
			return c, err
		}
	}
	return appClient{}, errors.New("there is no machine client; the system that is running was started without -param MachineScope=…")
}

// ask makes an AWS call. The stand-in wants to see for which service and Region it is signed, and does not check the signature.
func (s standIn) ask(ctx context.Context, operation string, input, output any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	return s.post(ctx, "/", string(body), output, http.Header{
		"Content-Type": {"application/x-amz-json-1.1"},
		"X-Amz-Target": {"AWSCognitoIdentityProviderService." + operation},
		"Authorization": {"AWS4-HMAC-SHA256 Credential=LOCAL/20260101/" + sam.Region + "/cognito-idp/aws4_request, SignedHeaders=host, Signature=" +
			strings.Repeat("0", 64)},
	})
}

// grant asks the token endpoint.
func (s standIn) grant(ctx context.Context, c appClient, form url.Values) (string, error) {
	credentials := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.ID) + ":" + url.QueryEscape(c.Secret)))
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	err := s.post(ctx, "/oauth2/token", form.Encode(), &answer, http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {"Basic " + credentials},
	})
	return answer.AccessToken, err
}

func (s standIn) post(ctx context.Context, path, body string, output any, header http.Header) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.origin+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = header
	res, err := s.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s%s answers %s", s.origin, path, res.Status)
	}
	return json.NewDecoder(io.LimitReader(res.Body, pageLimit)).Decode(output)
}
