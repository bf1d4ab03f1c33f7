package main

// The cost of a decision, from the event's bytes to the answer's, next to a raw RSA check.

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"edgeauth/cuts"
	"edgeauth/cuts/cutstest"
	"edgeauth/internal/token/tokentest"
	"edgeauth/internal/yardstick"
)

// BenchmarkHandler measures decisions against the raw check of a good token of the same size, b.N
// pairs of slots each: read xRSA, ns/op is a quiet slot's. Every event must come out as the
// benchmark's name says.
func BenchmarkHandler(b *testing.B) {
	pool := yardstick.NewPool()
	a := benchAuthorizer(b, pool)
	small, large := yardstick.Tokens(pool, yardstick.Small, 16), yardstick.Tokens(pool, yardstick.Large, 16)
	key, claims := pool.Keys()[0], tokentest.Encode(pool.IDClaims(nil))
	past := pool.Now().Add(-time.Hour).Unix()
	for _, c := range []struct {
		name    string
		good    []string // what the limit checks
		cookies []string
	}{
		{"allow_1k", small, sessions(small...)},
		{"allow_4k", large, sessions(large...)},
		{"refuse_no_session", small, []string{"theme=dark"}},
		{"refuse_garbage", small, sessions(strings.Repeat("e", yardstick.Small.Bytes))},
		{"refuse_alg_none", small, sessions(key.Sign(`{"alg":"none"}`, claims))},
		{"refuse_HS256", small, sessions(key.Sign(`{"kid":`+tokentest.Encode(key.ID)+`,"alg":"HS256"}`, claims))},
		{"refuse_unknown_kid", small, sessions(tokentest.StockKey(2).Token(pool.IDClaims(tokentest.Claims{"iat": past, "auth_time": past})))},
		{"refuse_expired", small, sessions(pool.IDToken(tokentest.Claims{"auth_time": past - 60, "iat": past - 60, "exp": past}))},
		{"refuse_bad_signature", small, sessions(unsigned(small[0]) + signature(small[1]))},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			limit := yardstick.Limit(&key.Private.PublicKey, c.good)
			r := yardstick.Compare(limit, b.N, decisions(b, a, c.cookies))[0]
			b.ReportMetric(r.Ratio, "xRSA")
			b.ReportMetric(r.Lower, "xRSA-lower")
			b.ReportMetric(r.Upper, "xRSA-upper")
			b.ReportMetric(float64(r.Quiet.Nanoseconds()), "ns/op")
			b.ReportMetric(r.Allocs, "allocs/op")
			b.ReportMetric(r.Bytes, "B/op")
		})
	}
}

// BenchmarkPoll measures what the list of endings adds to a decision while no reading of it is due:
// read xDecision.
func BenchmarkPoll(b *testing.B) {
	pool := yardstick.NewPool()
	a := benchAuthorizer(b, pool)
	list, err := cuts.New(cuts.Config{
		Table: "cuts", Region: "eu-west-1", Credentials: cuts.Credentials{AccessKeyID: "x", SecretAccessKey: "y"},
		Every: cuts.Limit, Client: &http.Client{Transport: cutstest.New(b, time.Now)},
	})
	if err != nil {
		b.Fatal(err)
	}
	s := cuts.Session{SignIn: origin, Subject: tokentest.Subject, AuthTime: pool.Now().Unix()}
	if err := list.Check(context.Background(), s); err != nil { // which reads
		b.Fatal(err)
	}
	b.Run("allow_1k", func(b *testing.B) {
		r := yardstick.Compare(decisions(b, a, sessions(yardstick.Tokens(pool, yardstick.Small, 16)...)), b.N, yardstick.Variant{Name: b.Name(), Run: func(n int) {
			for range n {
				if err := list.Check(context.Background(), s); err != nil {
					b.Fatal(err)
				}
			}
		}})[0]
		b.ReportMetric(r.Ratio, "xDecision")
		b.ReportMetric(r.Lower, "xDecision-lower")
		b.ReportMetric(r.Upper, "xDecision-upper")
		b.ReportMetric(r.Allocs, "allocs/op")
	})
}

// benchAuthorizer is an authorizer with the settings that a deployment has.
func benchAuthorizer(b testing.TB, pool *tokentest.Pool) *authorizer {
	settings := map[string]string{
		"AUTH_ISSUER": tokentest.Issuer, "AUTH_CLIENT_IDS": tokentest.ClientID, "AUTH_JWKS_URL": pool.Server(b), "AUTH_JWKS": string(pool.JWKS()),
	}
	a, err := build(func(name string) (string, bool) { v, ok := settings[name]; return v, ok }, io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// decisions is the work of deciding page views with these cookies, one after the other.
func decisions(b *testing.B, a *authorizer, cookies []string) yardstick.Variant {
	var events [][]byte
	for _, c := range cookies {
		events = append(events, yardstick.Event(c))
	}
	allowed, next := strings.Contains(b.Name(), "/allow"), 0
	return yardstick.Variant{Name: b.Name(), Run: func(n int) {
		for range n {
			answer, err := a.Invoke(context.Background(), events[next%len(events)])
			if err != nil || bytes.Contains(answer, []byte(`"Effect":"Allow"`)) != allowed {
				b.Fatalf("%v %s", err, answer)
			}
			next++
		}
	}}
}

func sessions(tokens ...string) []string {
	var cookies []string
	for _, t := range tokens {
		cookies = append(cookies, yardstick.Session(t))
	}
	return cookies
}

func unsigned(token string) string  { return token[:strings.LastIndexByte(token, '.')] }
func signature(token string) string { return token[strings.LastIndexByte(token, '.'):] }
