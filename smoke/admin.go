package smoke

// This file signs in without a page: with the caller's own AWS credentials, by way of the AWS CLI, which knows every kind of them. The pool must allow
// it (parameter AdminPasswordAuth). Password and secret travel in a file that only the caller can read, never in an argument.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminInitiateAuth.html

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
)

// errNotAllowed is the one sentence for somebody whose pool does not allow this.
var errNotAllowed = errors.New("the app client does not allow it: deploy with AdminPasswordAuth=true, or sign in with a browser and copy the __Host-id cookies")

// adminCookie signs the user in and returns the session cookie for curl -b. authorize is where the application sends a browser to sign in.
func (t Target) adminCookie(ctx context.Context, authorize *url.URL) (string, error) {
	if authorize == nil {
		return "", errors.New("the application sends nobody to a login page")
	}
	domain, region := authorize.Host, ""
	if prefix, rest, ok := strings.Cut(domain, ".auth."); ok && strings.HasSuffix(rest, ".amazoncognito.com") {
		domain, region = prefix, strings.TrimSuffix(rest, ".amazoncognito.com")
	}
	c := awsCLI{ctx, region}
	var described struct {
		DomainDescription struct {
			UserPoolID string `json:"UserPoolId"`
		}
	}
	if err := c.ask("describe-user-pool-domain", map[string]any{"Domain": domain}, &described); err != nil {
		return "", err
	}
	pool, id := described.DomainDescription.UserPoolID, authorize.Query().Get("client_id")
	if pool == "" {
		return "", fmt.Errorf("the pool of %s is not in this account and region", authorize.Host)
	}
	return c.session(pool, id, t.user, t.password)
}

func (c awsCLI) session(pool, id, user, password string) (string, error) {
	var client struct {
		UserPoolClient struct{ ClientSecret string }
	}
	if err := c.ask("describe-user-pool-client", map[string]any{"UserPoolId": pool, "ClientId": id}, &client); err != nil {
		return "", err
	}
	parameters := map[string]string{"USERNAME": user, "PASSWORD": password}
	if secret := client.UserPoolClient.ClientSecret; secret != "" {
		parameters["SECRET_HASH"] = secretHash(secret, user+id)
	}
	var auth struct {
		ChallengeName        string
		AuthenticationResult struct {
			IDToken string `json:"IdToken"`
		}
	}
	err := c.ask("admin-initiate-auth", map[string]any{
		"UserPoolId": pool, "ClientId": id, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": parameters,
	}, &auth)
	switch {
	case err != nil:
		return "", err
	case auth.AuthenticationResult.IDToken == "":
		return "", fmt.Errorf("the pool wants %s of this user first: sign in with a browser once", plain(auth.ChallengeName))
	}
	return "__Host-id=" + auth.AuthenticationResult.IDToken, nil
}

// secretHash is what Cognito wants of a client with a secret.
// https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash
func secretHash(secret, message string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(message))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// awsCLI asks Cognito through the AWS CLI.
type awsCLI struct {
	ctx    context.Context
	region string // empty: as the caller has it
}

func (c awsCLI) ask(operation string, input, output any) error {
	file, err := os.CreateTemp("", "smoke-*.json") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := json.NewEncoder(file).Encode(input); err != nil {
		return err
	}
	args := []string{"cognito-idp", operation, "--cli-input-json", "file://" + file.Name(), "--output", "json"}
	if c.region != "" {
		args = append(args, "--region", c.region)
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(c.ctx, "aws", args...)
	cmd.Stdout, cmd.Stderr = &out, &said
	switch err := cmd.Run(); {
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the AWS CLI is not installed")
	case err != nil:
		return refusal(operation, said.String())
	}
	return json.Unmarshal(out.Bytes(), output)
}

// refusal says in one sentence what to do about an error of the CLI.
func refusal(operation, said string) error {
	if strings.Contains(said, "Auth flow not enabled") || strings.Contains(said, "flow not enabled for this client") {
		return errNotAllowed
	}
	if code, ok := errorCode(said); ok {
		return fmt.Errorf("%s: %s", operation, code)
	}
	return fmt.Errorf("%s: the AWS CLI failed; is it signed in?", operation)
}

// errorCode finds AWS's code in what the CLI says; the rest may quote what was sent.
func errorCode(said string) (string, bool) {
	_, rest, ok := strings.Cut(said, "An error occurred (")
	code, _, found := strings.Cut(rest, ")")
	return plain(code), ok && found
}
