// This file asks Linux what a process has used, and holds it to a share of a processor.

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// cpu returns the CPU time that all threads of a process have used so far, to the nanosecond: clock_getcpuclockid(3).
func cpu(pid int) (time.Duration, error) {
	const allThreadsExactly = 2
	clock := uintptr(^pid<<3 | allThreadsExactly)
	var t syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0, errno
	}
	return time.Duration(t.Nano()), nil
}

// memory returns what a process holds of the machine's memory, in MB of 1,048,576 bytes.
func memory(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kilobytes, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.ParseFloat(kilobytes, 64)
	return n / 1024, err
}

// quota is a control group whose processes get a share of a processor and no more.
type quota string

// newQuota makes a quota of used out of each period, by whichever version of control groups is mounted.
func newQuota(name string, used, period time.Duration) (quota, error) {
	v1, v2 := "/sys/fs/cgroup/cpu", "/sys/fs/cgroup"
	file, values := v1, [][2]string{{"cpu.cfs_period_us", micro(period)}, {"cpu.cfs_quota_us", micro(used)}}
	if _, err := os.Stat(v1 + "/cpu.cfs_quota_us"); err != nil {
		file, values = v2, [][2]string{{"cpu.max", micro(used) + " " + micro(period)}}
	}
	q := quota(filepath.Join(file, name))
	if err := os.Mkdir(string(q), 0o755); err != nil && !os.IsExist(err) {
		return "", err
	}
	for _, v := range values {
		if err := os.WriteFile(filepath.Join(string(q), v[0]), []byte(v[1]), 0o644); err != nil {
			q.remove()
			return "", err
		}
	}
	return q, nil
}

func micro(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

// add puts a process, with all its threads, under the quota.
func (q quota) add(pid int) error {
	return os.WriteFile(filepath.Join(string(q), "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644)
}

// remove takes the quota away; its processes must have ended.
func (q quota) remove() { os.Remove(string(q)) }

// processor names the machine's processor.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	_, rest, _ := strings.Cut(string(text), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "\t :"))
}
