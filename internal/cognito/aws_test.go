package cognito

// This file holds what goes to AWS, and what may be said of what comes back.

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// asked is a client that notes questions and gives one answer.
type asked struct {
	urls, targets, scopes []string
	status                int
	text                  string
	err                   error
}

func (a *asked) do(r *http.Request) (*http.Response, error) {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	scope, _, _ = strings.Cut(scope, ",")
	_, scope, _ = strings.Cut(scope[strings.IndexByte(scope, '/')+1:], "/")
	a.urls, a.targets, a.scopes = append(a.urls, r.URL.String()), append(a.targets, r.Header.Get("X-Amz-Target")), append(a.scopes, scope)
	if r.Header.Get("X-Amz-Security-Token") != "token" || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" || r.Method != http.MethodPost {
		return nil, errors.New("another request than AWS takes")
	}
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(a.text))}, nil
}

func newDirect(t *testing.T, a *asked, region string) *direct {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": "", "AWS_REGION": region, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": "token",
	} {
		t.Setenv(name, value)
	}
	d := &direct{}
	d.once.Do(func() { d.do = a.do })
	return d
}

// TestEachServiceIsAskedAtItsOwnHost: with the signature that it takes.
func TestEachServiceIsAskedAtItsOwnHost(t *testing.T) {
	for region, suffix := range map[string]string{"eu-west-1": "amazonaws.com", "cn-north-1": "amazonaws.com.cn"} {
		a := &asked{status: 200, text: `{"Parameter":{"Value":"v"},"UserPoolClient":{"ClientSecret":"s","RefreshTokenValidity":2}}`}
		d := newDirect(t, a, region)
		if v, err := d.parameter(t.Context(), "/p"); v != "v" || err != nil {
			t.Errorf("%q, %v", v, err)
		}
		if s, life, err := d.client(t.Context(), "pool", "client"); s.Reveal() != "s" || life != 48*time.Hour || err != nil {
			t.Errorf("%q, %v, %v", s.Reveal(), life, err)
		}
		got := strings.Join(append(append(a.urls, a.targets...), a.scopes...), "\n")
		want := strings.Join([]string{
			"https://ssm." + region + "." + suffix + "/", "https://cognito-idp." + region + "." + suffix + "/",
			"AmazonSSM.GetParameter", "AWSCognitoIdentityProviderService.DescribeUserPoolClient",
			region + "/ssm/aws4_request", region + "/cognito-idp/aws4_request",
		}, "\n")
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// TestWhatAWSRefuses: its name for the error is told, if it is one, and nothing else; what passes is asked once more.
func TestWhatAWSRefuses(t *testing.T) {
	for _, c := range []struct {
		status int
		text   string
		err    error
		want   string
		times  int
	}{
		{400, `{"__type":"ParameterNotFound","message":"canary"}`, nil, "cognito: GetParameter: ParameterNotFound", 1},
		{400, `{"__type":"com.amazonaws.ssm#AccessDeniedException"}`, nil, "cognito: GetParameter: AccessDeniedException", 1},
		{400, `{"__type":"ThrottlingException"}`, nil, "cognito: GetParameter: ThrottlingException", 2},
		{400, `{"__type":"TooManyRequestsException"}`, nil, "cognito: GetParameter: TooManyRequestsException", 2},
		{400, `{"__type":"can ary"}`, nil, "cognito: GetParameter: status 400", 1},
		{400, `{"__type":"` + strings.Repeat("x", 65) + `"}`, nil, "cognito: GetParameter: status 400", 1},
		{503, `<html>`, nil, "cognito: GetParameter: status 503", 2},
		{302, ``, nil, "cognito: GetParameter: status 302", 1},
		{200, `<html>`, nil, "cognito: GetParameter: not JSON", 1},
		{200, `{}`, nil, "cognito: GetParameter: empty answer", 1},
		{200, `{"Parameter":{"Value":"` + strings.Repeat("x", maxAnswer) + `"}}`, nil, "cognito: GetParameter: too large an answer", 1},
		{0, ``, errors.New("canary"), "cognito: GetParameter: no answer", 2},
	} {
		a := &asked{status: c.status, text: c.text, err: c.err}
		_, err := newDirect(t, a, "eu-west-1").parameter(t.Context(), "/p")
		if err == nil || err.Error() != c.want || len(a.urls) != c.times {
			t.Errorf("%d %.40s: %v after %d questions, want %s after %d", c.status, c.text, err, len(a.urls), c.want, c.times)
		}
	}
}

// TestPlainEndpointsAreRefused, but for this machine's.
func TestPlainEndpointsAreRefused(t *testing.T) {
	a := &asked{status: 200}
	d := newDirect(t, a, "eu-west-1")
	t.Setenv("AWS_ENDPOINT_URL", "http://ssm.example.com")
	if _, err := d.parameter(t.Context(), "/p"); err == nil || err.Error() != "cognito: GetParameter: endpoint: URL must be https" || len(a.urls) != 0 {
		t.Errorf("%v, asked %q", err, a.urls)
	}
}
