package runtime

// This file ties a process to ours: its own group, so that a Ctrl-C in the terminal reaches us alone, and a signal from the kernel when we die.

import "syscall"

func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// terminate tells a process, and nothing that it may have started, that its time has come.
func terminate(pid int) bool { return syscall.Kill(pid, syscall.SIGTERM) == nil }
