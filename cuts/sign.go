package cuts

// This file signs requests: Signature Version 4, of which the list needs a POST to "/" without a query
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). AWS's own signer would be three times as large as all
// the rest of this package, in a binary whose size is part of every cold start.

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
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

const (
	signatureDate = "20060102T150405Z"
	service       = "dynamodb"
)

// sign signs r, whose body is body, for a moment: AWS takes it for five minutes before and after.
func (c Credentials) sign(r *http.Request, body []byte, region string, at time.Time) {
	date := at.UTC().Format(signatureDate)
	r.Header.Set("X-Amz-Date", date)
	if c.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", c.SessionToken)
	}
	var names, lines strings.Builder
	for _, h := range [...][2]string{ // in the order of their names
		{"content-length", strconv.Itoa(len(body))},
		{"content-type", r.Header.Get("Content-Type")},
		{"host", r.URL.Host},
		{"x-amz-date", date},
		{"x-amz-security-token", c.SessionToken},
		{"x-amz-target", r.Header.Get("X-Amz-Target")},
	} {
		if h[1] == "" {
			continue
		}
		if names.Len() > 0 {
			names.WriteByte(';')
		}
		names.WriteString(h[0])
		lines.WriteString(h[0] + ":" + h[1] + "\n")
	}
	request := "POST\n/\n\n" + lines.String() + "\n" + names.String() + "\n" + digest(body)
	day := date[:len("20060102")]
	scope := day + "/" + region + "/" + service + "/aws4_request"
	text := "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + digest([]byte(request))
	key := []byte("AWS4" + c.SecretAccessKey)
	for _, part := range [...]string{day, region, service, "aws4_request", text} {
		key = mac(key, part)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.AccessKeyID+"/"+scope+", SignedHeaders="+names.String()+", Signature="+hex.EncodeToString(key))
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	io.WriteString(h, text)
	return h.Sum(nil)
}
