package runtime

// This file keeps log lines whole: a line reaches the log in one Write, however long it is and however many pieces it came in.

import (
	"bytes"
	"io"
)

type lines struct {
	to      io.Writer
	partial []byte
}

func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			l.partial = append(l.partial, p...)
			return n, nil
		}
		line := p[:i+1]
		if len(l.partial) > 0 {
			line = append(l.partial, line...)
		}
		_, _ = l.to.Write(line) // a log that cannot be written must not stop the process
		l.partial = nil
		p = p[i+1:]
	}
}

// flush ends a last line that the process did not.
func (l *lines) flush() {
	if len(l.partial) > 0 {
		_, _ = l.to.Write(append(l.partial, '\n'))
		l.partial = nil
	}
}
