// Package version says which release a binary is of.
package version

import "io"

// tag is set by the linker for a release: -X <module>/internal/version.tag=v1.2.3
var tag = "dev"

// String returns the tag of the release, or "dev".
func String() string { return tag }

// Asked reports whether a program was started for its version alone, by the one argument -version, and then prints it.
func Asked(args []string, stdout io.Writer) bool {
	if len(args) != 2 || args[1] != "-version" {
		return false
	}
	_, _ = io.WriteString(stdout, tag+"\n")
	return true
}
