package awsjson

// This file signs requests: Signature Version 4, of which a POST to "/" without a query needs little
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Credentials are an AWS access key. No verb, encoder or logger prints them.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // "" for a key of a user's own
}

// Format prints no more than what it is, for every verb.
func (c Credentials) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "(AWS credentials)") }

// MarshalText is Format, for encoders.
func (c Credentials) MarshalText() ([]byte, error) { return []byte("(AWS credentials)"), nil }

const signatureDate = "20060102T150405Z"

// Sign signs r, a POST to "/" of a service in a Region, whose body is body, for a moment: AWS takes it for five minutes before and after.
func (c Credentials) Sign(r *http.Request, body []byte, service, region string, at time.Time) {
	date := at.UTC().Format(signatureDate)
	r.Header.Set("X-Amz-Date", date)
	names, token := "content-length;content-type;host;x-amz-date;x-amz-target", ""
	if c.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", c.SessionToken)
		names, token = "content-length;content-type;host;x-amz-date;x-amz-security-token;x-amz-target", "x-amz-security-token:"+c.SessionToken+"\n"
	}
	request := fmt.Sprintf("POST\n/\n\ncontent-length:%d\ncontent-type:%s\nhost:%s\nx-amz-date:%s\n%sx-amz-target:%s\n\n%s\n%x",
		len(body), r.Header.Get("Content-Type"), r.URL.Host, date, token, r.Header.Get("X-Amz-Target"), names, sha256.Sum256(body))
	day := date[:len("20060102")]
	scope := day + "/" + region + "/" + service + "/aws4_request"
	text := fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s\n%x", date, scope, sha256.Sum256([]byte(request)))
	key := []byte("AWS4" + c.SecretAccessKey)
	for _, part := range [...]string{day, region, service, "aws4_request", text} {
		key = mac(key, part)
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x", c.AccessKeyID, scope, names, key))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	io.WriteString(h, text)
	return h.Sum(nil)
}
