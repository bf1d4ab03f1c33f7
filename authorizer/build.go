// This file puts the authorizer together from its settings. Whatever is wrong with them ends the
// start: an authorizer that is half configured must not answer anything.

package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"edgeauth/cuts"
	"edgeauth/internal/config"
	"edgeauth/internal/policy"
	"edgeauth/internal/token"
	"edgeauth/jwks"
)

//go:embed access.rules
var shippedRules string

// build returns the authorizer that the environment describes, its keys on the way. It logs to out.
func build(lookup config.Lookup, out io.Writer) (*authorizer, error) {
	settings, err := config.ForAuthorizer(lookup)
	if err != nil {
		return nil, err
	}
	pools := trusted(settings)
	log := newRecord(out)
	sets, keys := make([]*jwks.Set, len(pools)), make([]token.Keys, len(pools))
	for i, p := range pools {
		set, err := jwks.New(jwks.Config{URL: p.JWKSURL, Snapshot: p.JWKS, Failed: log.keys})
		if err != nil {
			return nil, err
		}
		if p.JWKS == nil {
			set.Prefetch()
		}
		sets[i], keys[i] = set, set
	}
	a, err := assemble(settings, pools, keys, time.Now, log)
	if err != nil {
		return nil, err
	}
	if settings.Cuts.Table != "" {
		c := cuts.FromEnvironment(lookup, settings.Cuts.Table)
		c.Every = settings.Cuts.Every
		if a.cuts, err = cuts.New(c); err != nil {
			return nil, err
		}
		a.cuts.Prefetch()
	}
	log.fetches = func() (n int) {
		for _, set := range sets {
			n += set.Fetches()
		}
		return n
	}
	log.function, _ = lookup("AWS_LAMBDA_FUNCTION_NAME") // which Lambda sets
	return a, nil
}

// trusted returns every user pool that tokens may come from.
func trusted(s config.Authorizer) []config.Trust {
	return append([]config.Trust{{Pool: s.Pool, ClientIDs: s.ClientIDs, BearerClientIDs: s.BearerClientIDs}}, s.Trust...)
}

// assemble returns the authorizer for settings, with keys for each pool and a clock.
func assemble(settings config.Authorizer, pools []config.Trust, keys []token.Keys, now func() time.Time, log *record) (*authorizer, error) {
	a := &authorizer{
		origins: settings.AllowedOrigins,
		claims:  settings.Claims,
		login:   settings.LoginPath,
		simple:  settings.SimpleResponses,
		lenient: settings.Cuts.Admit,
		now:     now,
		log:     log,
	}
	var issuers []string
	for _, p := range pools {
		issuers = append(issuers, p.Issuer)
	}
	log.issuers = strings.Join(issuers, " ")
	log.every = settings.LogDecisions == config.EveryDecision
	var err error
	if a.rules, err = policy.Parse(ruleText(settings)); err != nil {
		return nil, fmt.Errorf("authorizer: %w", err)
	}
	if settings.Rotation && a.rules.WantsRecent() {
		return nil, errRotation
	}
	if a.session, err = verifier(token.ID, pools, keys, now, func(p config.Trust) []string { return p.ClientIDs }); err != nil {
		return nil, err
	}
	if a.bearer, err = verifier(token.Access, pools, keys, now, func(p config.Trust) []string { return p.BearerClientIDs }); err != nil {
		return nil, err
	}
	if settings.BearerIDTokens {
		a.bearerID = a.session
	}
	return a, nil
}

// errRotation keeps a rule from resting on what nobody can tell from a token: with rotation,
// renewed tokens were seen to say a later auth_time than the sign-in's, and a stolen session that
// renews itself would pass for one of a moment ago.
var errRotation = errors.New("authorizer: AUTH_RULES asks for max-age, which cannot be told while refresh tokens rotate (AUTH_ROTATION)")

func ruleText(settings config.Authorizer) string {
	if settings.Rules != "" {
		return settings.Rules
	}
	return shippedRules
}

// verifier returns a verifier of tokens for one use, by the pools that have clients for it; nil
// when none has.
func verifier(use token.Use, pools []config.Trust, keys []token.Keys, now func() time.Time, clients func(config.Trust) []string) (*token.Verifier, error) {
	c := token.Config{Use: use, Now: now}
	for i, p := range pools {
		if ids := clients(p); len(ids) > 0 {
			c.Issuers = append(c.Issuers, token.Issuer{URL: p.Issuer, ClientIDs: ids, Keys: keys[i]})
		}
	}
	if c.Issuers == nil {
		return nil, nil
	}
	return token.New(c)
}
