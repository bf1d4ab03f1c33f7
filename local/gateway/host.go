package gateway

// This file finds the API that a request is for: by the host, and by the beginning of the path, which is a stage on an API's own host and a base path on a
// custom domain.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"edgeauth/local/sam"
)

// vhost is a name that the gateway answers to.
type vhost struct {
	mounts  []mount // the longest path first
	missing func() *failure
}

// mount is an API under a path.
type mount struct {
	path   string // begins with a slash; empty: everything
	gate   *gate
	mapped bool // on a custom domain
}

// open makes an API's own host answer for it.
func (g *Gateway) open(one *gate) error {
	if one.api.Host == "" {
		return nil
	}
	m := mount{path: "/" + one.api.Stage, gate: one}
	missing := forbidden
	if one.api.Kind == sam.HTTP {
		missing = notFound
	}
	if one.api.Kind == sam.HTTP && one.api.Stage == sam.DefaultStage {
		m.path = ""
	}
	return g.mount(one.api.Host, m, missing)
}

// openDomain makes a custom domain's host answer for what is mapped to it.
func (g *Gateway) openDomain(d sam.Domain, gates map[[2]string]*gate) error {
	sockets := 0
	for _, m := range d.Mappings {
		one := gates[[2]string{m.API, m.Stage}]
		if one == nil {
			return fmt.Errorf("there is no API %s with the stage %s", m.API, m.Stage)
		}
		if one.api.Kind == sam.WebSocket {
			sockets++
		}
		path := strings.Trim(m.Path, "/")
		if path != "" {
			path = "/" + path
		}
		if err := g.mount(d.Host, mount{path, one, true}, forbidden); err != nil {
			return err
		}
	}
	if sockets > 0 && sockets < len(d.Mappings) {
		return errors.New("a WebSocket API cannot share a custom domain with other kinds of API")
	}
	return nil
}

func (g *Gateway) mount(name string, m mount, missing func() *failure) error {
	name = strings.ToLower(name)
	h := g.hosts[name]
	if h == nil {
		h = &vhost{missing: missing}
		g.hosts[name] = h
	}
	for _, other := range h.mounts {
		if other.path == m.path {
			return fmt.Errorf("two APIs want %s%s", name, m.path)
		}
	}
	h.mounts = append(h.mounts, m)
	slices.SortFunc(h.mounts, func(a, b mount) int { return cmp.Compare(len(b.path), len(a.path)) })
	return nil
}

// find returns the API that a request is for, or why there is none, and divides the request's path.
func (g *Gateway) find(q *request) (*gate, *failure) {
	h := g.hosts[q.host]
	if h == nil {
		return nil, forbidden()
	}
	for _, m := range h.mounts {
		rest, ok := strings.CutPrefix(q.fullPath, m.path)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		q.path, q.mapped = rest, m.mapped
		if q.path == "" {
			q.path = "/"
		}
		m.gate.override(q)
		return m.gate, nil
	}
	return nil, h.missing()
}

// override takes the method that a header names, as REST APIs do.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
func (g *gate) override(q *request) {
	if name, ok := q.header("X-HTTP-Method-Override"); ok && name != "" && g.api.Kind == sam.REST {
		q.method = strings.ToUpper(name)
	}
}
