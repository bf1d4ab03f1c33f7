// Package version says which release a binary is of.
package version

import (
	"fmt"
	"io"
	"runtime/debug"
)

// tag is set by the linker for a release: -X <module>/internal/version.tag=v1.2.3
var tag = ""

// String returns the tag of the release; of a program that `go install` has fetched, the module's version; else "dev".
func String() string {
	if tag != "" {
		return tag
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

// Asked reports whether a program was started for its version alone, by the one argument -version, and then prints it.
func Asked(args []string, stdout io.Writer) bool {
	if len(args) != 2 || args[1] != "-version" {
		return false
	}
	fmt.Fprintln(stdout, String())
	return true
}
