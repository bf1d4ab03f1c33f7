package cognito

// This file decides how AWS is asked: by what Lambda puts into the environment
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), with short times, and
// twice at most. The SDK's own search for a configuration would link four more services, none of
// which a Lambda ever asks.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// questions are what AWS is asked. Errors say which question failed and with which code, and nothing of what was answered.
type questions interface {
	parameter(ctx context.Context, name string) (string, error)
	client(ctx context.Context, pool, id string) (secret Secret, refreshLife time.Duration, err error)
}

// sdk asks by way of the AWS SDK, which it sets up when first asked.
type sdk struct {
	ssm  *ssm.Client
	pool *cognitoidentityprovider.Client
}

func (s *sdk) setUp(ctx context.Context) error {
	if s.pool != nil {
		return nil
	}
	c := aws.Config{
		Region: os.Getenv("AWS_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(
			os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")),
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(patience / 2).
			WithDialerOptions(func(d *net.Dialer) { d.Timeout = time.Second }),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 2, 200*time.Millisecond })
		},
	}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" {
		c.BaseEndpoint = &endpoint
	}
	if c.Region == "" {
		return errors.New("cognito: AWS_REGION is not set")
	}
	s.ssm, s.pool = ssm.NewFromConfig(c), cognitoidentityprovider.NewFromConfig(c)
	return nil
}

func (s *sdk) parameter(ctx context.Context, name string) (string, error) {
	if err := s.setUp(ctx); err != nil {
		return "", err
	}
	out, err := s.ssm.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return "", fmt.Errorf("cognito: GetParameter: %s", code(err))
	}
	if out.Parameter == nil {
		return "", errors.New("cognito: GetParameter: empty answer")
	}
	return aws.ToString(out.Parameter.Value), nil
}

func (s *sdk) client(ctx context.Context, pool, id string) (Secret, time.Duration, error) {
	if err := s.setUp(ctx); err != nil {
		return Secret{}, 0, err
	}
	out, err := s.pool.DescribeUserPoolClient(ctx, &cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: &pool, ClientId: &id})
	if err != nil {
		return Secret{}, 0, fmt.Errorf("cognito: DescribeUserPoolClient: %s", code(err))
	}
	if out.UserPoolClient == nil {
		return Secret{}, 0, errors.New("cognito: DescribeUserPoolClient: empty answer")
	}
	return NewSecret(aws.ToString(out.UserPoolClient.ClientSecret)), refreshLife(out.UserPoolClient), nil
}

// refreshLife is how long the client's refresh tokens live. 0 stands for Cognito's default.
func refreshLife(c *types.UserPoolClientType) time.Duration {
	unit := 24 * time.Hour
	if c.TokenValidityUnits != nil {
		switch c.TokenValidityUnits.RefreshToken {
		case types.TimeUnitsTypeSeconds:
			unit = time.Second
		case types.TimeUnitsTypeMinutes:
			unit = time.Minute
		case types.TimeUnitsTypeHours:
			unit = time.Hour
		}
	}
	return time.Duration(c.RefreshTokenValidity) * unit
}

// code returns AWS's code for an error: its text may quote the request.
func code(err error) string {
	var coded interface{ ErrorCode() string }
	switch {
	case errors.As(err, &coded):
		return coded.ErrorCode()
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	}
	return "no answer"
}
