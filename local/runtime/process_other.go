//go:build unix && !linux

package runtime

// This file does what process_linux.go does where the kernel sends no parent-death signal: a process that we leave behind finds the Runtime API gone when it
// next asks for work, and exits.

import "syscall"

func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// terminate tells a process, and nothing that it may have started, that its time has come.
func terminate(pid int) bool { return syscall.Kill(pid, syscall.SIGTERM) == nil }
