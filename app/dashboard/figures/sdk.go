package figures

// This file decides how CloudWatch is asked: with what Lambda puts into the environment, for a few seconds, and twice at most. A failure is sorted by its
// code alone, since its text may quote the request.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
)

const patience = 6 * time.Second // for all pages together; the function itself has ten

func newAPI(lookup func(string) (string, bool)) (*cloudwatch.Client, error) {
	env := func(name string) string { v, _ := lookup(name); return v }
	config := aws.Config{
		Region:      env("AWS_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"), env("AWS_SESSION_TOKEN")),
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(patience / 2).
			WithDialerOptions(func(d *net.Dialer) { d.Timeout = time.Second }),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 2, 200*time.Millisecond })
		},
	}
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDWATCH"} {
		if endpoint := env(name); endpoint != "" {
			config.BaseEndpoint = &endpoint
		}
	}
	if config.Region == "" {
		return nil, ErrSettings
	}
	return cloudwatch.NewFromConfig(config), nil
}

func ask(ctx context.Context, api *cloudwatch.Client, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	out, err := api.GetMetricData(ctx, in)
	if err == nil {
		return out, nil
	}
	var coded interface{ ErrorCode() string }
	if !errors.As(err, &coded) {
		return nil, ErrUnavailable
	}
	switch coded.ErrorCode() {
	case "AccessDenied", "AccessDeniedException":
		return nil, ErrForbidden
	}
	return nil, fmt.Errorf("%w: %s", ErrUnavailable, coded.ErrorCode())
}
