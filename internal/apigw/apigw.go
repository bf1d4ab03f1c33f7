// Package apigw speaks API Gateway: it reads each API kind's authorizer event for just what a
// decision needs, writes its answer, and runs an http.Handler behind a proxy integration. It
// decides nothing about who may do what; what it cannot read exactly, it refuses.
package apigw
