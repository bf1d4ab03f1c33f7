// This file runs one function as Lambda would: a process, its Runtime API, one event at a time.

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// program is how a function is started.
type program struct {
	name    string
	command []string
	env     []string
	want    string // what every answer must contain
}

// function is a program that runs.
type function struct {
	program
	api   *runtimeAPI
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended
	log   string

	started, answered time.Time // when the process was begun, and when the latest answer had been read
}

const patience = 20 * time.Second // with a function that does not answer; no measurement depends on it

// start begins p. Its logs go to a file.
func (p program) start(dir string) (*function, error) {
	f := &function{program: p, api: newRuntimeAPI(), ended: make(chan struct{}), log: filepath.Join(dir, strings.ReplaceAll(p.name, " ", "-")+".log")}
	log, err := os.Create(f.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	f.cmd = exec.Command(p.command[0], p.command[1:]...)
	f.cmd.Dir, f.cmd.Stdout, f.cmd.Stderr = dir, log, log
	f.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "LANG=en_US.UTF-8", "TZ=:UTC", "AWS_LAMBDA_RUNTIME_API=" + f.api.address(), "AWS_REGION=eu-west-1",
		"AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/bench", "AWS_LAMBDA_LOG_STREAM_NAME=2026/11/22/[$LATEST]0", "LAMBDA_TASK_ROOT=" + dir, "_HANDLER=bootstrap",
	}, p.env...)
	f.started = time.Now()
	if err := f.cmd.Start(); err != nil {
		f.api.close()
		return nil, err
	}
	go func() {
		f.cmd.Wait()
		close(f.ended)
	}()
	return f, nil
}

// stop ends the process.
func (f *function) stop() {
	f.cmd.Process.Kill()
	<-f.ended
	f.api.close()
}

// invoke hands over one event and returns the time from there to the answer.
func (f *function) invoke(event []byte) (time.Duration, error) {
	if err := await(f, f.api.idle, new(struct{})); err != nil {
		return 0, err
	}
	start := time.Now()
	f.api.event <- event
	var got answer
	if err := await(f, f.api.answer, &got); err != nil {
		return 0, err
	}
	if got.failed || !strings.Contains(got.body, f.want) {
		return 0, fmt.Errorf("%s answered %.200s", f.name, got.body)
	}
	f.answered = got.at
	return got.at.Sub(start), nil
}

// settle waits until the function has nothing left to do but to wait for the next event. Linux counts the CPU time of a thread that runs only at the
// next tick or when it gives way, so the wait goes on for a moment after the function has asked.
func (f *function) settle() error {
	var idle struct{}
	if err := await(f, f.api.idle, &idle); err != nil {
		return err
	}
	f.api.idle <- idle
	time.Sleep(3 * time.Millisecond)
	return nil
}

// await takes what comes from c, unless the function ends or never gets there.
func await[T any](f *function, c chan T, into *T) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case *into = <-c:
		return nil
	case <-f.ended:
		return fmt.Errorf("%s ended: %s%s", f.name, f.cmd.ProcessState, tail(f.log))
	case <-late.C:
		return errors.New(f.name + " does not answer" + tail(f.log))
	}
}

// tail returns the end of a log.
func tail(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return "\n" + string(text[max(0, len(text)-1000):])
}
