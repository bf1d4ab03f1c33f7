// Package runtime runs a Lambda function on this machine: the real bootstrap binary as a child process, over the Lambda Runtime API.
//
// It decides which process handles an invocation, when a process has had its time, and what the caller learns when one fails. As on Lambda, a process
// (an "environment") handles one invocation at a time and is kept for the next; it counts as free only once it asks for work again, so a process that
// answers and then dies is never handed anything. No process outlives the program that started it.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package runtime

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// PayloadLimit is the size of a request or an answer, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const PayloadLimit = 6<<20 + 100

const (
	defaultEnvironments = 10
	defaultInitTimeout  = 10 * time.Second
)

var (
	ErrClosed   = errors.New("runtime: the function is closed")
	ErrTooLarge = fmt.Errorf("runtime: the payload is larger than %d bytes", PayloadLimit)

	errGone = errors.New("runtime: the process is gone") // before it saw the invocation
	errFull = errors.New("runtime: there are as many processes as there may be")
)

// Error is a function error: the function ran, or tried to start, and failed.
type Error struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`

	Body []byte `json:"-"` // what the runtime posted, if it was a runtime that said so
}

func (e *Error) Error() string { return "runtime: " + e.Type + ": " + e.Message }

// Config describes one function.
type Config struct {
	Name        string // as AWS names it
	ARN         string
	Program     Program           // what starts it
	Environment map[string]string // the function's own variables
	Platform    map[string]string // what Lambda would add beyond the usual: endpoints, credentials, region
	Timeout     time.Duration     // of an invocation
	InitTimeout time.Duration     // until the process first asks for work; zero: 10 s
	Memory      int               // MB; told to the function, not enforced
	Max         int               // processes at a time; zero: 10. Further invocations wait, where Lambda would throttle
	Log         io.Writer         // gets every line of the processes' output, whole, one Write each; must be safe for concurrent use
}

// Function runs invocations. It is safe for concurrent use.
type Function struct {
	config Config
	after  func(time.Duration, func()) *time.Timer // time.AfterFunc, except in tests
	closed chan struct{}
	ended  sync.WaitGroup // counts the processes

	mu      sync.Mutex     // guards what follows
	running int            // processes
	idle    []*environment // those that wait for work, the last used last
	era     int            // grows with each restart
	change  chan struct{}  // closed, and replaced, when a process becomes idle or ends
}

// New prepares a function. It starts no process yet.
func New(c Config) (*Function, error) {
	info, err := os.Stat(c.Program.Binary)
	if err != nil {
		return nil, fmt.Errorf("runtime: %s has no binary: %w", c.Name, err)
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return nil, fmt.Errorf("runtime: %s: %s is not executable", c.Name, c.Program.Binary)
	}
	if c.Timeout <= 0 {
		return nil, fmt.Errorf("runtime: %s has no timeout", c.Name)
	}
	if c.Max == 0 {
		c.Max = defaultEnvironments
	}
	if c.InitTimeout == 0 {
		c.InitTimeout = defaultInitTimeout
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	return &Function{config: c, after: time.AfterFunc, closed: make(chan struct{}), change: make(chan struct{})}, nil
}

// Warm starts one process and waits until it asks for work.
func (f *Function) Warm(ctx context.Context) error {
	e, err := f.start()
	if err != nil {
		return err
	}
	select {
	case <-e.ready:
		return nil
	case <-e.gone:
		return e.initFailure()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Invoke hands the payload to a free process, or to a new one, and returns the answer. A *Error is the function's own failure. When ctx ends first the
// invocation goes on, as it does on Lambda, and its answer is dropped.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if len(payload) > PayloadLimit {
		return nil, ErrTooLarge
	}
	for {
		v := &invocation{id: newID(), payload: payload, answered: make(chan result, 1)}
		if err := f.dispatch(ctx, v); err != nil {
			return nil, err
		}
		select {
		case r := <-v.answered:
			if r.err == errGone {
				continue
			}
			return r.payload, r.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// dispatch gives v to an idle process. If there is none it starts one, once, and takes whichever becomes idle first.
func (f *Function) dispatch(ctx context.Context, v *invocation) error {
	var fresh *environment
	for {
		given, change := f.give(v)
		if given {
			return nil
		}
		if fresh == nil {
			var err error
			if fresh, err = f.start(); err != nil && err != errFull {
				return err
			}
		}
		if fresh != nil && closed(fresh.gone) {
			if !closed(fresh.ready) {
				return fresh.initFailure()
			}
			fresh = nil // it had started well, and failed somebody else
			continue
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		case <-f.closed:
			return ErrClosed
		}
	}
}

// give hands v to an idle process if there is one. If not it tells how to learn of a change.
func (f *Function) give(v *invocation) (given bool, change <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.idle)
	if n == 0 {
		return false, f.change
	}
	f.idle[n-1].work <- v
	f.idle = f.idle[:n-1]
	return true, nil
}

// Restart ends every process: those that wait at once, those at work when they are done. What comes now runs in new ones.
func (f *Function) Restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.era++
	for _, e := range f.idle {
		go e.end()
	}
	f.idle = nil
}

// offer makes e known as idle, or ends it if it is of before a restart.
func (f *Function) offer(e *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.era != f.era {
		go e.end()
		return
	}
	if !closed(e.gone) && !slices.Contains(f.idle, e) {
		f.idle = append(f.idle, e)
		f.changed()
	}
}

// enter counts one more process in, and tells the era that it belongs to.
func (f *Function) enter() (era int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if closed(f.closed) {
		return 0, ErrClosed
	}
	if f.running == f.config.Max {
		return 0, errFull
	}
	f.running++
	f.ended.Add(1)
	return f.era, nil
}

// leave counts e out. What was handed to it and never picked up goes to another process.
func (f *Function) leave(e *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(e.gone)
	f.running--
	f.idle = slices.DeleteFunc(f.idle, func(other *environment) bool { return other == e })
	select {
	case v := <-e.work:
		v.answered <- result{err: errGone}
	default:
	}
	f.changed()
	f.ended.Done()
}

func (f *Function) changed() {
	close(f.change)
	f.change = make(chan struct{})
}

// Close ends every process and waits until they are gone.
func (f *Function) Close() {
	f.mu.Lock()
	if !closed(f.closed) {
		close(f.closed)
	}
	f.mu.Unlock()
	f.ended.Wait()
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// invocation is one event on its way through a process.
type invocation struct {
	id       string
	payload  []byte
	answered chan result // one value
}

type result struct {
	payload []byte
	err     error
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
