package login_test

// This file is the list of what users of comparable systems ask for and stumble over after the
// first login, and where this repository has it tested, or why it does not do it. TestWishes holds
// the list to its word.

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var wishes = []struct {
	wish  string
	tests string // folder.Test, separated by spaces
	not   string // why there is none
}{
	1:  {"loops stop, and the page says why", "internal/login.TestLoopStops internal/login.TestLoopCauses internal/login.TestBouncesStop e2e.TestRoundsAreStopped e2e.TestChromeRefusedCookies", ""},
	2:  {"a cookie of another path or domain does not win", "internal/cookie.TestJoin internal/login.TestLoopCauses e2e.TestDisguisedCookies", ""},
	3:  {"deep links survive", "internal/login.TestSignIn internal/login.TestRetryLinkKeepsThePage e2e.TestSignInLeadsBack", ""},
	4:  {"no host in a redirect, let alone two", "internal/login.TestReturnTargetCorpus internal/login.FuzzReturnTo", ""},
	5:  {"state, nonce and PKCE are no options", "internal/login.TestEveryLoginIsFresh internal/login.TestCallbackRefuses", ""},
	6:  {"queries are neither lost nor encoded twice", "internal/login.TestReturnTargetsPassByteForByte authorizer.TestLogin e2e.TestSignInLeadsBack", ""},
	7:  {"tabs do not overwrite each other's login", "internal/login.TestPendingLogins e2e.TestTwoLoginsAtOnce e2e.TestChromeTenTabsSignedOut", ""},
	8:  {"a late callback with a session is no error", "internal/login.TestLateCallback e2e.TestChromeBackAfterLogin e2e.TestChromeDoubleClickedLogin", ""},
	9:  {"pending logins do not pile up", "internal/login.TestPendingLogins internal/login.TestPendingLoginsAreBoundedInBytes internal/login.TestLoginRefuses e2e.TestPendingLoginsAreFew", ""},
	10: {"what stands behind # survives", "internal/login.TestFragment internal/login.TestHopPage e2e.TestChromeKeepsTheFragment", ""},
	11: {"a POST is not redirected into losing its body", "authorizer.TestNavigation e2e.TestPrograms", ""},
	12: {"return targets never leave the site", "internal/login.TestReturnTargetsRefused internal/login.TestReturnTargetCorpus e2e.TestReturnTargetsStayHere", ""},
	13: {"the identity provider's errors have a page", "internal/login.TestErrorDescriptions internal/login.TestCallbackRefuses e2e.TestTokenEndpointFailures", ""},
	14: {"a callback that comes twice, or as a prefetch, does no harm", "internal/login.TestPendingLoginIsUsedOnce internal/login.TestLateCallback internal/login.TestCallbackRefuses", ""},
	15: {"login hints and the like go on", "internal/login.TestLoginPassesOnWhatIsListed internal/login.TestLoginRefuses", ""},
	16: {"programs are not redirected", "authorizer.TestNavigation internal/login.TestProgramsReadJSON e2e.TestPrograms", ""},
	17: {"a refusal is readable across origins that are allowed", "template.a_foreign_script_can_read_a_refusal", ""},
	18: {"preflights do not meet the authorizer", "local/gateway.TestPreflight template.preflights_need_no_session", ""},
	19: {"scripts learn who is signed in", "internal/login.TestSessionTellsScripts", ""},
	20: {"scripts and machines can sign in", "smoke.TestCookie authorizer.TestBearer e2e.TestCookieCommand", ""},
	21: {"no cookie is too long", "internal/cookie.TestSplitGrowsAndShrinksWithoutLeftovers internal/login.TestSizes e2e.TestChromeTokenSizes", ""},
	22: {"the whole request fits, or a page explains", "internal/login.TestHeaderBudget e2e.TestTokenSizes", ""},
	23: {"groups that were left out are not taken for groups that are not there", "authorizer.TestTooLarge", "Cognito leaves none out: its limit is 100 groups a user, all of them in the token"},
	24: {"renewals at once do not end the session", "internal/login.TestLoserOfARace internal/login.TestInterleavings internal/login.TestInterleavingsThatBite e2e.TestRenewalsAtOnce", ""},
	25: {"nobody is thrown out every hour", "internal/login.TestNavigationIsRenewedUnseen internal/login.TestProgramsRenew e2e.TestChromeRenewsUnseen", ""},
	26: {"clocks may differ by seconds", "internal/token.TestR16LeewayIsAsConfigured", ""},
	27: {"SameSite does not break the way back", "internal/login.TestWireForm e2e.TestCookiesOnTheWire", ""},
	28: {"Safari keeps cookies on http://localhost", "", "it refuses Secure cookies there, and a mode without Secure would be a second behaviour to get wrong; another browser does for the local system"},
	29: {"applications do not get the refresh token", "internal/login.TestWireForm e2e.TestCookiesOnTheWire", ""},
	30: {"several Set-Cookie headers arrive", "internal/apigw.TestProxy callback.TestEvents", ""},
	31: {"cookies are read in any case and spelling of the header", "internal/apigw.TestHeaders callback.TestEvents", ""},
	32: {"a logout ends the identity provider's session", "internal/login.TestLogout internal/login.TestSignedOutPageStays e2e.TestSignOutIsForGood", ""},
	33: {"a logout by script works, and one by another site asks", "internal/login.TestLogout e2e.TestLogoutFromAnotherSiteAsksFirst", ""},
	34: {"somebody signed in elsewhere is told that he still is", "internal/login.TestSignedOutPageStays", ""},
	35: {"a revoked session ends at once", "internal/login.TestLogout", "a copied ID token is good until it expires: nothing is stored that could be asked; the README gives the minutes"},
}

func TestWishes(t *testing.T) {
	if len(wishes) != 36 {
		t.Fatalf("%d wishes", len(wishes)-1)
	}
	for n, w := range wishes[1:] {
		if w.tests == "" && w.not == "" {
			t.Errorf("%d: %s: neither a test nor a reason", n+1, w.wish)
		}
		for name := range strings.FieldsSeq(w.tests) {
			if !exists(name) {
				t.Errorf("%d: %s: there is no %s", n+1, w.wish, name)
			}
		}
	}
}

// exists reports whether a folder of the repository has a test of that name: a Go test, or a rule
// by which the template is broken.
func exists(name string) bool {
	folder, test, _ := strings.Cut(name, ".")
	pattern, definition := "*_test.go", "func "+test+"("
	if folder == "template" {
		pattern, definition = "*.py", `"`+test+`"`
	}
	files, _ := filepath.Glob(filepath.Join("..", "..", folder, pattern))
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil && strings.Contains(string(text), definition) {
			return true
		}
	}
	return false
}
