package local

// This file decides what of all that is logged a person gets to see, and how: by default a line that can be read, by a flag the JSON as it is.

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// journal is where log lines go: to out, and to a file if there is one. Each Write is one whole line.
type journal struct {
	mu   sync.Mutex
	out  io.Writer
	file io.Writer
	raw  bool                    // out gets lines as they are
	read func(line []byte) error // reads the metrics in what functions print; nil: nobody does
	now  func() time.Time        // of the lines for people
}

func (j *journal) Write(line []byte) (int, error) { return j.write("", line) }

func (j *journal) write(function string, line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file != nil {
		_, _ = j.file.Write(line)
	}
	if j.raw {
		return j.out.Write(line)
	}
	if text := readable(function, line); text != "" {
		_, err := fmt.Fprintf(j.out, "%s %s\n", j.now().Format(time.TimeOnly), text)
		return len(line), err
	}
	return len(line), nil
}

// of is for what a function prints.
func (j *journal) of(function string) io.Writer { return output{j, function} }

type output struct {
	journal  *journal
	function string
}

func (o output) Write(line []byte) (int, error) {
	n, err := o.journal.write(o.function, line)
	if o.journal.read != nil {
		if bad := o.journal.read(line); bad != nil {
			text, _ := json.Marshal(map[string]string{"level": "WARN", "function": o.function, "message": "a metric line that CloudWatch would not take: " + bad.Error()})
			_, _ = o.journal.Write(append(text, '\n'))
		}
	}
	return n, err
}

// fileOnly is for lines that would drown the others on a screen.
func (j *journal) fileOnly() io.Writer {
	if j.file == nil {
		return io.Discard
	}
	return &journal{out: j.file, raw: true}
}

// readable is a line for a person; empty where there is nothing to say. Metrics are for machines, unless they tell of a failure: the line of the request
// says the rest. Whatever else a function prints is shown as it is.
func readable(function string, line []byte) string {
	text := strings.TrimRight(string(line), "\r\n")
	var fields map[string]any
	if !strings.HasPrefix(text, "{") || json.Unmarshal(line, &fields) != nil {
		return strings.TrimSpace(function + " " + printable(text))
	}
	level, _ := fields["level"].(string)
	_, metrics := fields["_aws"]
	switch {
	case fields["msg"] == "request" && function == "":
		return request(fields)
	case function != "" && fields["msg"] == "login": // the callback's: a line for each visit
	case metrics && fields["outcome"] != "cannot_tell":
		return ""
	case function != "" && !metrics && level != "WARN" && level != "ERROR":
		return function + " " + printable(text)
	}
	if function == "" {
		function, _ = fields["function"].(string)
		delete(fields, "function")
	}
	return strings.TrimSpace(function + " " + pairs(fields))
}

// request is one line about one request: 12:03:01 GET /reports 302 no_session → /auth/login 4 ms.
func request(fields map[string]any) string {
	words := []string{fmt.Sprint(fields["method"]), fmt.Sprint(fields["path"]), fmt.Sprint(fields["status"])}
	if reason, ok := fields["reason"].(string); ok {
		words = append(words, reason)
	}
	if location, ok := fields["location"].(string); ok {
		words = append(words, "→ "+location)
	}
	return printable(strings.Join(append(words, fmt.Sprint(fields["ms"])+" ms"), " "))
}

// pairs is a JSON object for a person: what kind of line it is, then its members by name, without those that every line has.
func pairs(fields map[string]any) string {
	var words []string
	for _, name := range []string{"level", "gateway", "msg", "message"} {
		if s, ok := fields[name].(string); ok {
			words = append(words, s)
		}
		delete(fields, name)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if s := fmt.Sprint(fields[name]); s != "" && name != "_aws" && name != "time" {
			words = append(words, name+"="+s)
		}
	}
	return printable(strings.Join(words, " "))
}

// printable keeps a terminal from obeying what somebody else wrote.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, text)
}
