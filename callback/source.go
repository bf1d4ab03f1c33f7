package main

// This file turns what the parameter says into what a login needs. The keys of a pool stay known for as long as the parameter names the same ones.

import (
	"bytes"
	"context"
	"sync"
	"time"

	"edgeauth/cuts"
	"edgeauth/internal/cognito"
	"edgeauth/internal/config"
	"edgeauth/internal/device"
	"edgeauth/internal/login"
	"edgeauth/internal/page"
	"edgeauth/jwks"
)

// source knows the app client, and the signing keys of its pool.
type source struct {
	client func(context.Context) (cognito.Client, error)

	lookup config.Lookup

	mu    sync.Mutex // guards what follows
	pool  config.Pool
	keys  *jwks.Set // of pool
	table string
	cuts  *cuts.List // in table
}

// warm asks for everything before the first event, while Lambda lends a whole processor
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html). What fails is asked again when somebody comes.
func (s *source) warm() {
	ctx, cancel := context.WithTimeout(context.Background(), timeToWarm)
	defer cancel()
	_, _ = s.provider(ctx)
}

// timeToWarm is far below the 10 s after which Lambda starts over.
const timeToWarm = 3 * time.Second

func (s *source) provider(ctx context.Context) (login.Provider, error) {
	c, err := s.client(ctx)
	if err != nil {
		return login.Provider{}, err
	}
	keys, err := s.keysOf(c.Pool)
	if err != nil {
		return login.Provider{}, err
	}
	list, err := s.cutsIn(c.Cuts)
	if err != nil {
		return login.Provider{}, err
	}
	return login.Provider{
		Issuer: c.Issuer, Keys: keys, SecondOpinion: secondOpinion(c.Issuer, keys),
		ClientID: c.ClientID, Secret: c.Secret.Reveal(), FormerSecret: c.Former.Reveal(), RefreshLife: c.RefreshLife,
		LoginURL: c.LoginURL, BaseURLs: c.BaseURLs, Scopes: c.Scopes, Claims: c.Claims, Brand: page.Brand(c.Brand),
		HeaderBudget: c.HeaderBudget, SessionMax: c.SessionMax, SessionIdle: c.SessionIdle,
		Cuts: list, CutsAdmit: c.CutsAdmit, Devices: device.Policy(c.Devices),
	}, nil
}

// cutsIn returns the list of sessions that were ended early, as it is in a table; nil for none.
func (s *source) cutsIn(table string) (*cuts.List, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table != table {
		s.table, s.cuts = "", nil
		if table == "" {
			return nil, nil
		}
		c := cuts.FromEnvironment(s.lookup, table)
		c.Every = cuts.MinEvery // each question here is for a reading of its own
		list, err := cuts.New(c)
		if err != nil {
			return nil, err
		}
		s.table, s.cuts = table, list
	}
	return s.cuts, nil
}

// keysOf returns the pool's keys, on their way if they were not known before: the person who is about to sign in takes longer.
func (s *source) keysOf(p config.Pool) (*jwks.Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys != nil && s.pool.JWKSURL == p.JWKSURL && bytes.Equal(s.pool.JWKS, p.JWKS) {
		return s.keys, nil
	}
	keys, err := jwks.New(jwks.Config{URL: p.JWKSURL, Snapshot: p.JWKS})
	if err != nil {
		return nil, err
	}
	keys.Prefetch()
	s.pool, s.keys = p, keys
	return keys, nil
}
