package login

// This file decides how long a browser may keep the files that pages load.

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

//go:embed edgeauth.css
var styleText string

//go:embed edgeauth.js
var scriptText string

//go:embed edgeauth.d.ts
var typesText string

var (
	style  = &file{"text/css; charset=utf-8", styleText, digest(styleText)[:16]}
	types  = &file{"text/plain; charset=utf-8", typesText, digest(typesText)[:16]} // to read, and to keep beside a build
	script = &file{"text/javascript; charset=utf-8", scriptText, digest(scriptText)[:16]}
)

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// file is one of the files that pages load.
type file struct {
	kind, text, tag string
}

// serve answers with the file, or with 304 when the browser has it. It may be kept, and must be
// checked, unless its address names its version.
func (f *file) serve(h http.Header, r *http.Request, status *int) []byte {
	h.Set("Content-Type", f.kind)
	h.Set("ETag", strconv.Quote(f.tag))
	h.Set("Cache-Control", "no-cache")
	h.Del("Vary")
	if r.URL.RawQuery == "v="+f.tag {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), strconv.Quote(f.tag)) {
		*status = http.StatusNotModified
		return nil
	}
	return []byte(f.text)
}
