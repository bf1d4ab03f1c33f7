package page

// This file decides what people read: what happened, and one next step.

import "edgeauth/internal/reason"

// next is where a page leads.
type next int

const (
	signIn  next = iota
	reload       // the same address again
	home         // the start page
	another      // sign in as somebody else
	afresh       // sign in as the same, once more
)

type wording struct {
	title string
	text  []string
	next  next
}

var words = map[reason.Code]wording{
	reason.SessionCut: {"Your session was ended.", []string{
		"You have signed out, or an administrator has ended your sessions. Sign in once more to go on to {app}.",
	}, afresh},
	reason.NoSession: {"You are not signed in.", []string{"Sign in to go on to {app}."}, signIn},

	reason.CookieBroken: {"Your session is incomplete.", []string{
		"The browser sent only a part of the session's cookies. Signing in again replaces them.",
	}, signIn},
	reason.CookieConflict: {"There are two sessions in one request.", []string{
		"The browser sent two different sessions, so neither counts. Clear this site's cookies, then sign in again.",
	}, signIn},
	reason.TokenExpired: {"Your session has ended.", []string{"Sign in again to go on."}, signIn},
	reason.TokenClaims: {"The sign-in could not be completed.", []string{
		"The answer of the sign-in service did not pass the checks that protect {app}. No session was started.",
	}, signIn},
	reason.TokenNotYetValid: {"The sign-in could not be completed.", []string{
		"The clocks of the sign-in service and of {app} differ too much. No session was started.",
	}, signIn},
	reason.TokenNonce: {"The sign-in could not be completed.", []string{
		"The answer of the sign-in service belongs to another sign-in. No session was started.",
	}, signIn},

	reason.LoginStateMissing: {"This sign-in cannot be finished here.", []string{
		"The browser did not send the cookie that belongs to it. Perhaps cookies are blocked for this site, or the sign-in was begun in another browser.",
	}, signIn},
	reason.LoginStateInvalid: {"This sign-in is used up.", []string{
		"It took longer than ten minutes, was used before, or was begun in another browser. A new one takes a moment.",
	}, signIn},
	reason.LoginRefused: {"The sign-in service said no.", []string{
		"It did not let you in. Perhaps the sign-in was cancelled, or your account may not use {app}.",
	}, signIn},
	reason.LoginCodeRefused: {"The sign-in took too long.", []string{
		"The sign-in service no longer accepts this attempt. No session was started; a new one takes a moment.",
	}, signIn},
	reason.LoginTooLarge: {"Your account does not fit into a session.", []string{
		"It carries so many groups or attributes that the browser or the network would silently drop the session. So none was started.",
		"An administrator can slim it: fewer groups, fewer attributes in the ID token.",
	}, another},
	reason.LoginLoop: {"You were going round in circles.", []string{
		"You were signed in and sent back here several times within a minute, so this page stops it.",
	}, signIn},
	reason.LoginDisagree: {"The sign-in could not be completed.", []string{
		"Two independent checks of the sign-in service's answer disagree. No session was started. Please report this.",
	}, signIn},
	reason.SessionEnded: {"Your session has ended.", []string{"It was signed out, revoked, or has reached its limit. Sign in again to go on."}, signIn},
	reason.SessionChanged: {"Your session has ended.", []string{
		"The browser held parts of two different sign-ins, so both were dropped. Sign in again to go on.",
	}, signIn},

	reason.DeviceProofMissing: {"Your session has ended.", []string{
		"It is bound to the device that it was begun on, and the browser did not prove that this is it. Sign in again to go on.",
	}, signIn},
	reason.DeviceProofInvalid: {"Your session has ended.", []string{
		"It is bound to a device, and the browser's proof is not by that one. Sign in again to go on.",
	}, signIn},
	reason.DeviceRequired: {"Your session has ended.", []string{
		"{app} renews only sessions that the browser has bound to its device, and this one was not. Sign in again to go on.",
	}, signIn},
	reason.DeviceChallenged: {"The browser is asked for a proof.", []string{
		"It shows that it runs on the device that the session was begun on, and then goes on by itself.",
	}, reload},

	reason.BadRequest:       {"This link is not right.", []string{"It lacks something, says something twice, or says something that is not allowed here."}, home},
	reason.NotFound:         {"There is nothing here.", []string{"The address leads nowhere. Perhaps it was mistyped or cut short."}, home},
	reason.MethodNotAllowed: {"This does not work that way.", []string{"The address exists, but not for this kind of request."}, home},

	reason.NoRule: {"You may not open this page.", []string{"No rule gives your account access to it."}, home},
	reason.GroupRequired: {"You may not open this page.", []string{
		"It is for members of a group that your account is not in.",
	}, another},
	reason.UserRequired: {"You may not open this page.", []string{"It is for people. A program's own access token does not open it."}, home},
	reason.MachineRequired: {"This address is for programs.", []string{
		"It wants a program's own access token, which no person has. Signing in again, also as somebody else, changes nothing.",
	}, home},
	reason.ScopeRequired: {"This address is for programs.", []string{
		"It wants an access token with a scope, which no browser's session has. Signing in again, also as somebody else, changes nothing.",
	}, home},
	reason.StepUp: {"Please confirm that it is you.", []string{
		"This page wants a recent sign-in. Sign in once more, then open it again.",
	}, afresh},
	reason.CrossSite: {"This came from another site.", []string{
		"Another site tried to do something here in your name. It was stopped, and nothing has changed.",
	}, home},
	reason.PathNotPlain: {"This address is ambiguous.", []string{"Parts of it could be read in two ways, so it is not opened. Please use the plain address."}, home},
	reason.TooLarge:     {"Your account does not fit.", []string{"It carries so many groups that access to this page cannot be decided."}, another},

	reason.ProviderUnavailable: {"The sign-in service does not answer.", []string{"This is usually over in a moment. If you were signed in, you still are."}, reload},
	reason.CutsUnavailable:     {"The session cannot be checked right now.", []string{"The list of sessions that were ended is out of reach. This is usually over in a moment."}, reload},
	reason.KeysUnavailable:     {"The session cannot be checked right now.", []string{"The keys of the sign-in service are out of reach. This is usually over in a moment."}, reload},
	reason.DeviceSkipped:       {"The session cannot be renewed right now.", []string{"This is usually over in a moment. You are still signed in."}, reload},
	reason.ConfigUnavailable: {"{app} cannot sign you in right now.", []string{
		"Its settings for the sign-in service are out of reach or not right. If this goes on, an administrator has to look at it.",
	}, reload},
	reason.Internal: {"Something went wrong here.", []string{"It is not your fault, and it was noted."}, home},
}

// fallback is the code whose words speak for all codes like it.
func fallback(code reason.Code) reason.Code {
	switch code.Outcome() {
	case reason.Refused:
		return reason.NoRule
	case reason.CannotTell:
		return reason.Internal
	}
	return reason.TokenClaims
}
