package login

// This file decides how the types of the sign-in helper are handed out: as text that a person can read and a build can keep.

import (
	_ "embed"
	"net/http"

	"edgeauth/internal/reason"
)

//go:embed edgeauth.d.ts
var typesText string

var types = &file{"text/plain; charset=utf-8", typesText, digest(typesText)[:16]}

func (v *visit) types() answer { return answer{status: http.StatusOK, code: reason.OK, file: types} }
