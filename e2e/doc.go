// Package e2e drives the whole system from outside: the real binaries, started as a user starts them, an HTTP client as strict about cookies as a
// browser, and a browser. It is a module of its own, so that what it needs stays out of what is deployed, and it imports none of the code it tests.
package e2e
