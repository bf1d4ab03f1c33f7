// This file is a Lambda Runtime API, small enough not to stand out in a measurement
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). Each function process has one of its own.

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"
)

// runtimeAPI hands events to one function process and takes its answers.
type runtimeAPI struct {
	server *httptest.Server
	idle   chan struct{} // the function asks for an event
	event  chan []byte
	answer chan answer
}

type answer struct {
	body   string
	failed bool // posted to /error
	at     time.Time
}

const api = "/2018-06-01/runtime/"

func newRuntimeAPI() *runtimeAPI {
	r := &runtimeAPI{idle: make(chan struct{}, 1), event: make(chan []byte), answer: make(chan answer, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+api+"invocation/next", r.next)
	mux.HandleFunc("POST "+api+"invocation/{id}/response", r.take(false))
	mux.HandleFunc("POST "+api+"invocation/{id}/error", r.take(true))
	mux.HandleFunc("POST "+api+"init/error", r.take(true))
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Lambda-Extension-Identifier", "bench") })
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() })
	r.server = httptest.NewServer(mux)
	return r
}

// address is the value of AWS_LAMBDA_RUNTIME_API.
func (r *runtimeAPI) address() string { return r.server.Listener.Addr().(*net.TCPAddr).String() }

func (r *runtimeAPI) close() {
	r.server.CloseClientConnections()
	r.server.Close()
}

func (r *runtimeAPI) next(w http.ResponseWriter, request *http.Request) {
	r.idle <- struct{}{}
	select {
	case event := <-r.event:
		now := time.Now()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("8476a536-e9f4-11e8-9739-%012x", now.UnixNano()&0xffffffffffff))
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(now.Add(10*time.Second).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:bench")
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0")
		w.Write(event)
	case <-request.Context().Done():
	}
}

func (r *runtimeAPI) take(failed bool) http.HandlerFunc {
	return func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err == nil {
			r.answer <- answer{string(body), failed, time.Now()}
		}
		w.WriteHeader(http.StatusAccepted)
	}
}
