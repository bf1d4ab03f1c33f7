package page

import (
	"strings"
	"testing"

	"edgeauth/internal/reason"
)

func TestOnlyPagesWithAScriptMayRunOne(t *testing.T) {
	for _, farewell := range []bool{false, true} {
		d := Frame{}.Show(&Page{Title: "x", Text: []string{"y"}, Farewell: farewell})
		if may, has := strings.Contains(d.Policy, "script-src"), strings.Contains(d.HTML, "<script"); may != farewell || has != farewell {
			t.Errorf("farewell %v: may run a script %v, has one %v", farewell, may, has)
		}
	}
}

// TestNobodyIsLedNowhere: while nobody knows where the application lives, a page proposes the same address again, or the start page.
func TestNobodyIsLedNowhere(t *testing.T) {
	for code := range words {
		p := Explain(code, Places{Home: "../"})
		if p.Action != To("Try again", "") && p.Action != To("Go to the start page", "../") {
			t.Errorf("%s: %+v", code, p.Action)
		}
	}
	if p := Explain(reason.NoSession, Places{Login: "/auth/login", Home: "/"}); p.Action != To("Sign in", "/auth/login") {
		t.Errorf("%+v", p.Action)
	}
}
