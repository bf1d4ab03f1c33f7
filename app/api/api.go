package main

// This file decides which route answers what. The list is short enough to be read at once; a path that is not on it is 404, a method that a path does not take 405.

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"edgeauth/identity"
	"edgeauth/internal/apigw"
)

// api answers the routes below <base>/api. It serves identified requests only: anything else is turned away by identity.Require.
type api struct {
	now func() time.Time
}

func (a api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimPrefix(r.URL.Path, apigw.Base(r.Context())) {
	case "/api/me":
		method{http.MethodGet: a.me}.ServeHTTP(w, r)
	case "/api/hello":
		method{http.MethodGet: hello, http.MethodPost: helloToo}.ServeHTTP(w, r)
	default:
		refuse(w, http.StatusNotFound, "not_found")
	}
}

// method picks what answers by the request's method. HEAD is GET without the body, which the adapter leaves out.
type method map[string]func(*http.Request, identity.Identity) any

func (m method) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.Method
	if name == http.MethodHead {
		name = http.MethodGet
	}
	answer, ok := m[name]
	if !ok {
		w.Header().Set("Allow", m.allow())
		refuse(w, http.StatusMethodNotAllowed, "method_not_allowed")
		return
	}
	id, err := identity.From(r.Context())
	if err != nil {
		refuse(w, http.StatusUnauthorized, "no_identity")
		return
	}
	write(w, http.StatusOK, answer(r, id))
}

func (m method) allow() string {
	allow := "GET, HEAD"
	if _, ok := m[http.MethodPost]; ok {
		allow += ", POST"
	}
	return allow
}

// who is the answer of /api/me. Lists are lists even when they are empty, so that a program need not look twice.
type who struct {
	Subject   string         `json:"sub"`
	Issuer    string         `json:"iss,omitempty"`
	Username  string         `json:"username,omitempty"`
	Email     string         `json:"email,omitempty"`
	Groups    []string       `json:"groups"`
	Scopes    []string       `json:"scopes"`
	TokenUse  string         `json:"token_use"`
	ClientID  string         `json:"client_id,omitempty"`
	Expires   int64          `json:"exp"`
	ExpiresIn int64          `json:"expires_in"`
	AuthTime  int64          `json:"auth_time,omitempty"`
	Claims    map[string]any `json:"claims,omitempty"`
}

// me tells the caller everything that the authorizer handed over.
func (a api) me(_ *http.Request, id identity.Identity) any {
	answer := who{
		Subject: id.Subject, Issuer: id.Issuer, Username: id.Username, Email: id.Email,
		Groups: append([]string{}, id.Groups...), Scopes: append([]string{}, id.Scopes...),
		TokenUse: id.TokenUse, ClientID: id.ClientID,
		Expires: id.Expires.Unix(), ExpiresIn: int64(id.Expires.Sub(a.now()).Seconds()),
		Claims: id.Claims,
	}
	if !id.AuthTime.IsZero() {
		answer.AuthTime = id.AuthTime.Unix()
	}
	return answer
}

type greeting struct {
	Greeting string `json:"greeting"`
}

// hello greets.
func hello(_ *http.Request, id identity.Identity) any { return greeting{"Hello, " + name(id) + "."} }

// helloToo stands for anything that changes something: a POST, which the authorizer lets in from this site only.
func helloToo(_ *http.Request, id identity.Identity) any {
	return greeting{"Hello to you too, " + name(id) + "."}
}

func name(id identity.Identity) string {
	for _, n := range []string{id.Email, id.Username} {
		if n != "" {
			return n
		}
	}
	return id.Subject
}

func refuse(w http.ResponseWriter, status int, code string) {
	write(w, status, map[string]string{"error": code})
}

// write answers with JSON that is kept nowhere and taken for nothing else.
func write(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil { // claims came out of JSON, so they go back into it
		panic(err)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Strict-Transport-Security", "max-age=31536000") // browsers heed it over TLS only (RFC 6797, section 8.1)
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}
