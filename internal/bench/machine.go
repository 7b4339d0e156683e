package main

import (
	"bufio"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// Machine says what the numbers were measured on.
type Machine struct {
	CPU    string  `json:"cpu"`
	Flags  string  `json:"flags,omitempty"` // what the kernels choose by
	Cores  int     `json:"cores"`
	OS     string  `json:"os"`
	Arch   string  `json:"arch"`
	Go     string  `json:"go"`
	Commit string  `json:"commit"`
	Load   float64 `json:"load"` // processes that wanted to run when the run began
}

func machine() Machine {
	m := Machine{CPU: "unknown CPU", Cores: runtime.GOMAXPROCS(0), OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(), Commit: commit()}
	if name := proc("/proc/cpuinfo", "model name"); name != "" {
		m.CPU = name
	}
	var have []string
	flags := strings.Fields(proc("/proc/cpuinfo", "flags"))
	for _, f := range flags {
		switch f {
		case "bmi2", "adx", "avx2", "avx512f", "avx512ifma", "vaes", "sha_ni":
			have = append(have, f)
		}
	}
	m.Flags = strings.Join(have, " ")
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		if f := strings.Fields(string(text)); len(f) > 0 {
			m.Load, _ = strconv.ParseFloat(f[0], 64) // 0 if the kernel writes something else
		}
	}
	return m
}

// commit is what the working tree is at.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	id := strings.TrimSpace(string(out))
	if changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output(); err == nil && len(changed) > 0 {
		id += " with changes"
	}
	return id
}

// peakMemory is the most memory this process has had, 0 if the system doesn't say.
func peakMemory() int64 {
	kib, err := strconv.ParseInt(strings.TrimSuffix(proc("/proc/self/status", "VmHWM"), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

// proc returns the first value of a name in a file of "name: value" lines, empty if
// there is none.
func proc(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return "" // not Linux
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if n, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(n) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
