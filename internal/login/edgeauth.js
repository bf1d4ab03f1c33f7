// Sign-in helper for pages behind edgeauth. Load it from the application's own origin, as an ES module:
//
//   import {fetch, keep, session, signIn, signOut} from "/Prod/auth/edgeauth.js";
//
//   fetch(…)    as the built-in, but a 401 renews the session once and sends the request again; once the session is over, it stops trying
//   install()   puts that fetch in the place of the built-in one; <script type="module" src="…/edgeauth.js?install"> does it without a further line
//   keep()      renews the session before it ends, once for all tabs
//   session()   who is signed in, or null
//   renew()     renews the session now: true when there is one, false when it is over
//   signIn(…)   goes to the login and comes back, to this address unless another is given
//   signOut()   ends the session, here and at the sign-in service
//
// The window gets events: "edgeauth:renewed", "edgeauth:ended" when the session is over, "edgeauth:denied" when a request was refused although somebody
// is signed in. edgeauth.d.ts beside this file describes all of it. No token is ever visible here.
//
// An address with ?install is another module to the browser than one without: a page that uses it imports from that same address.

export const version = "1.0.0";

const auth = new URL(".", import.meta.url);
const channel = self.BroadcastChannel ? new BroadcastChannel("edgeauth " + auth.pathname) : null;

// The built-in fetch, as it was before this module, or one like it, took its place.
const builtin = Symbol.for("edgeauth.builtin");
const native = globalThis.fetch[builtin] ?? globalThis.fetch;

let state = "unknown"; // then "in", once there was a session; "out", once it is certain that there is none
let known = 0; // when the session ends that this tab knows of, in seconds
let renewing = null; // the renewal under way, shared by all callers in this tab
let renewals = 0; // how many this tab has seen
let timer = 0;
let kept = false; // whether keep was called
let installed = false; // whether install was called
const refused = new Map(); // path → until when another renewal would not help it, in milliseconds

const call = (route, init) =>
  native(new URL(route, auth), {cache: "no-store", redirect: "error", credentials: "same-origin", headers: {Accept: "application/json"}, ...init});

const tell = (name, detail) => self.dispatchEvent(new CustomEvent("edgeauth:" + name, {detail}));

const locked = work => (navigator.locks ? navigator.locks.request("edgeauth " + auth.pathname, work) : work());

// ask returns the session, or why there is none and whether a renewal may give one.
async function ask() {
  const answer = await call("session");
  if (answer.ok) return {current: await answer.json()};
  if (answer.status !== 401) throw new Error("edgeauth: the session cannot be checked right now");
  const {reason = "no_session", refreshable = false} = await answer.json();
  return {reason, refreshable};
}

export async function session() {
  return (await ask()).current ?? null;
}

export function renew() {
  const seen = renewals;
  renewing ??= locked(() => exchange(seen)).finally(() => { renewing = null; });
  return renewing;
}

// exchange runs in one tab at a time. The others find, when their turn comes, that there is a newer session than the one they know of.
async function exchange(seen) {
  const before = await ask();
  if (before.current && (before.current.exp > known || renewals > seen)) return adopt(before.current);
  if (before.current?.bound) return adopt(before.current); // to this device: the browser renews it by itself
  if (!before.current && !before.refreshable) return end(before.reason);
  const answer = await call("refresh", {method: "POST"});
  if (answer.status !== 204 && answer.status !== 401) throw new Error("edgeauth: the session cannot be renewed right now");
  const refusal = answer.status === 401 ? await answer.json() : null;
  const after = await ask(); // after a 401 too: a tab without this helper may have been faster
  if (!after.current) return end((refusal ?? after).reason);
  if (!refusal) channel?.postMessage("renewed");
  return adopt(after.current, !refusal || after.current.exp > known);
}

function adopt(current, renewed = current.exp > known) {
  const news = renewed && known > 0 || state === "out";
  if (state !== "in") channel?.postMessage("here");
  if (renewed) renewals++;
  known = current.exp;
  state = "in";
  refused.clear();
  plan(current);
  if (news) tell("renewed", current);
  return true;
}

// end says so once, and not at all to somebody who was never signed in.
function end(reason) {
  const news = state === "in" || state === "unknown" && reason !== "no_session";
  clearTimeout(timer);
  known = 0;
  state = "out";
  if (news) tell("ended", {reason});
  return false;
}

export async function fetch(input, init) {
  const address = new URL(input instanceof Request ? input.url : input, self.document?.baseURI ?? location.href);
  if (address.origin !== auth.origin || address.pathname.startsWith(auth.pathname)) return native(input, init);
  const request = new Request(input, init);
  if (request.credentials === "omit" || request.headers.has("Authorization")) return native(request); // no session is meant
  if (state === "out" && refused.has(address.pathname)) return unauthorized();
  const again = request.clone();
  const before = renewals;
  const answer = await native(request);
  if (answer.status !== 401) return noticed(answer, request);
  if (state !== "out" && !(refused.get(address.pathname) > Date.now())) {
    if (renewals === before) await renew().catch(() => {});
    if (renewals > before) return secondAnswer(again, address.pathname);
  }
  if (state === "out") refused.set(address.pathname, Infinity);
  return answer;
}

// secondAnswer is final: a path that a new session does not open is left alone for a while.
async function secondAnswer(request, path) {
  const answer = await native(request);
  if (answer.status === 401) refused.set(path, Date.now() + 30000);
  return noticed(answer, request);
}

// noticed tells the page of a denial, which a script sees as a request that was led to <base>/auth/denied.
function noticed(answer, request) {
  const led = answer.redirected && new URL(answer.url);
  if (led && led.origin === auth.origin && led.pathname === auth.pathname + "denied") {
    tell("denied", {reason: led.searchParams.get("reason") ?? "", url: request.url, method: request.method});
  }
  return answer;
}

// unauthorized is what the API would answer, without asking it again.
const unauthorized = () => new Response('{"error":"unauthorized","reason":"no_session","message":"The session is over. Sign in and send the request again."}\n',
  {status: 401, headers: {"Content-Type": "application/json", "Cache-Control": "no-store"}});

export function install() {
  if (installed) return;
  installed = true;
  fetch[builtin] = native;
  globalThis.fetch = fetch;
  look();
}

export async function keep() {
  kept = true;
  await look();
}

async function look() {
  const {current, reason, refreshable} = await ask().catch(() => ({reason: null}));
  if (reason === null) kept && later(30);
  else if (current) adopt(current);
  else if (!refreshable) end(reason);
  else await early();
}

// plan sets the time of the next renewal: after three quarters of what is left, which leaves room for a sign-in service that is away for a while. A
// session that cannot be renewed is looked at when it ends, and so is one that the browser renews before it sends the question.
function plan({expires_in, refreshable, bound}) {
  if (kept && refreshable && !bound) later(Math.max(expires_in * 0.75, 5), early);
  else if (kept || installed && !refreshable) later(Math.max(expires_in, 1) + 1);
}

const early = () => renew().catch(() => kept && later(30));

function later(seconds, work = look) {
  clearTimeout(timer);
  timer = setTimeout(work, Math.min(seconds * 1000, 2 ** 31 - 1));
}

/** @param {import("./edgeauth.js").SignInOptions} [options] */
export function signIn({returnTo = location.href, prompt, provider} = {}) {
  const target = new URL(returnTo, location.href);
  if (target.origin !== auth.origin) throw new TypeError("edgeauth: a sign-in comes back to this origin only");
  const login = new URL("login", auth);
  login.searchParams.set("return_to", target.pathname + target.search + target.hash);
  if (prompt) login.searchParams.set("prompt", prompt);
  if (provider) login.searchParams.set("identity_provider", provider);
  location.assign(login);
}

export async function signOut() {
  const answer = await call("logout", {method: "POST"});
  if (!answer.ok) throw new Error("edgeauth: signing out failed");
  channel?.postMessage("ended");
  location.assign((await answer.json()).location);
}

// Another tab has a session, or has renewed or ended it: look what is true now.
channel?.addEventListener("message", ({data}) => {
  if (state === "out" || data !== "here" && (kept || installed)) look();
});

// A computer that slept has missed its timer, and somebody may have signed in elsewhere meanwhile.
self.document?.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && (kept || state === "out" || installed && Date.now() / 1000 > known)) look();
});

if (new URL(import.meta.url).searchParams.has("install")) install();
