package cognito

// This file decides how AWS is asked: by what Lambda puts into the environment
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), with short times, and
// twice at most. The SDK would be half of this function's cold start.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"edgeauth/internal/awsjson"
	"edgeauth/internal/endpoint"
)

// questions are what AWS is asked. Errors say which question failed and with which code, and nothing of what was answered.
type questions interface {
	parameter(ctx context.Context, name string) (string, error)
	client(ctx context.Context, pool, id string) (secret Secret, refreshLife time.Duration, err error)
}

// service is one of AWS's: the name of its hosts, which it is signed for, and the name of its protocol's version.
type service struct{ host, target string }

var (
	systemsManager = service{"ssm", "AmazonSSM"}
	userPools      = service{"cognito-idp", "AWSCognitoIdentityProviderService"}
)

// direct asks without the SDK. Its zero value sets itself up when first asked.
type direct struct {
	once sync.Once
	do   func(*http.Request) (*http.Response, error)
}

func (d *direct) parameter(ctx context.Context, name string) (string, error) {
	var answer struct{ Parameter struct{ Value *string } }
	if err := d.ask(ctx, systemsManager, "GetParameter", map[string]any{"Name": name, "WithDecryption": true}, &answer); err != nil {
		return "", err
	}
	if answer.Parameter.Value == nil {
		return "", errors.New("cognito: GetParameter: empty answer")
	}
	return *answer.Parameter.Value, nil
}

func (d *direct) client(ctx context.Context, pool, id string) (Secret, time.Duration, error) {
	var answer struct {
		UserPoolClient *struct {
			ClientSecret         string
			RefreshTokenValidity int
			TokenValidityUnits   struct{ RefreshToken string }
		}
	}
	if err := d.ask(ctx, userPools, "DescribeUserPoolClient", map[string]any{"UserPoolId": pool, "ClientId": id}, &answer); err != nil {
		return Secret{}, 0, err
	}
	c := answer.UserPoolClient
	if c == nil {
		return Secret{}, 0, errors.New("cognito: DescribeUserPoolClient: empty answer")
	}
	return NewSecret(c.ClientSecret), time.Duration(c.RefreshTokenValidity) * unit(c.TokenValidityUnits.RefreshToken), nil
}

// unit is what the validity of refresh tokens is counted in, days unless said otherwise.
func unit(name string) time.Duration {
	switch name {
	case "seconds":
		return time.Second
	case "minutes":
		return time.Minute
	case "hours":
		return time.Hour
	}
	return 24 * time.Hour
}

// ask puts one question, and once more if AWS did not answer it or was busy.
func (d *direct) ask(ctx context.Context, s service, operation string, question, answer any) error {
	d.once.Do(func() { d.do = awsjson.Client() })
	if os.Getenv("AWS_REGION") == "" {
		return errors.New("cognito: AWS_REGION is not set")
	}
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	text, err := d.send(ctx, s, operation, body)
	if again := (refusal{}); err != nil && ctx.Err() == nil && (!errors.As(err, &again) || again.passing) {
		text, err = d.send(ctx, s, operation, body)
	}
	if err == nil && json.Unmarshal(text, answer) != nil {
		err = refusal{name: "not JSON"}
	}
	if err != nil {
		return fmt.Errorf("cognito: %s: %s", operation, code(err))
	}
	return nil
}

// maxAnswer is more than a parameter of the advanced tier, or any app client, can be.
const maxAnswer = 64 << 10

func (d *direct) send(ctx context.Context, s service, operation string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience/2)
	defer cancel()
	region, address := os.Getenv("AWS_REGION"), os.Getenv("AWS_ENDPOINT_URL")
	if address == "" {
		address = "https://" + s.host + "." + region + "." + awsjson.Suffix(region)
	}
	if err := endpoint.Check(address); err != nil {
		return nil, refusal{name: err.Error()}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(address, "/")+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", s.target+"."+operation)
	key := awsjson.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")}
	key.Sign(r, body, s.host, region, time.Now())
	response, err := d.do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusOK:
		return nil, refused(response.StatusCode, text)
	case len(text) > maxAnswer:
		return nil, refusal{name: "too large an answer"}
	}
	return text, nil
}

// refusal is why there is no answer: a name that may be logged.
type refusal struct {
	name    string
	passing bool // it may be otherwise in a moment
}

func (r refusal) Error() string { return r.name }

// refused reads AWS's name for an error: the rest of its answer may quote the question.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
func refused(status int, text []byte) refusal {
	var e struct {
		Type string `json:"__type"`
	}
	_ = json.Unmarshal(text, &e)
	name := e.Type[strings.LastIndexByte(e.Type, '#')+1:]
	if name == "" || len(name) > 64 || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
		name = fmt.Sprintf("status %d", status)
	}
	return refusal{name, status >= 500 || name == "ThrottlingException" || name == "TooManyRequestsException"}
}

// code is what may be said of a failure.
func code(err error) string {
	var r refusal
	switch {
	case errors.As(err, &r):
		return r.name
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	}
	return "no answer"
}
