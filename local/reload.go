package local

// This file decides when a function runs new code: the request after a change finds it. Nothing watches in between.

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"

	"edgeauth/local/runtime"
)

// filesLimit is how many files are looked at for a request. A folder that holds more is not watched.
const filesLimit = 5000

// reloading is a function whose processes are replaced once its sources have changed.
type reloading struct {
	*runtime.Function
	sources string // a folder, or one file
	changed func() // is told of each change

	mu   sync.Mutex // guards seen
	seen state
}

// state is what a folder looks like from outside: the change of a file changes it.
type state struct {
	files int
	bytes int64
	times int64 // the sum of when each was changed, in nanoseconds: a file that is put back is older than others, and changed all the same
}

// newReloading looks at the sources for the first time.
func newReloading(f *runtime.Function, sources string, changed func()) (*reloading, error) {
	seen, err := look(sources)
	if err != nil {
		return nil, err
	}
	return &reloading{Function: f, sources: sources, changed: changed, seen: seen}, nil
}

func (r *reloading) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	r.refresh()
	return r.Function.Invoke(ctx, payload)
}

func (r *reloading) refresh() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, err := look(r.sources)
	if err != nil || now == r.seen { // a file that vanished just now is back in a moment
		return
	}
	r.seen = now
	r.Restart()
	r.changed()
}

// look adds up what is in a folder, but for what interpreters and tools keep there.
func look(sources string) (state, error) {
	var s state
	err := filepath.WalkDir(sources, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != sources && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "__pycache__" || name == "venv") {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		s.files++
		s.bytes += info.Size()
		s.times += info.ModTime().UnixNano()
		if s.files > filesLimit {
			return fmt.Errorf("%s holds more than %d files", sources, filesLimit)
		}
		return nil
	})
	return s, err
}
