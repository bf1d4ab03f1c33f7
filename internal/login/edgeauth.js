// Sign-in helper for pages behind edgeauth. Load it from the application's own origin, as an ES module:
//
//   import {fetch, keep, session, signIn, signOut} from "/Prod/auth/edgeauth.js";
//
//   fetch(…)   as the built-in, but a 401 renews the session once and sends the request again
//   keep()     renews the session before it ends, once for all tabs
//   session()  who is signed in, or null
//   renew()    renews the session now: true when there is one, false when it is over
//   signIn()   goes to the login and comes back to this address
//   signOut()  ends the session, here and at the sign-in service
//
// The window gets an event "edgeauth:renewed" after a renewal, and "edgeauth:ended" when the session is over. No token is ever visible here.

export const version = "1.0.0";

const auth = new URL(".", import.meta.url);
const channel = self.BroadcastChannel ? new BroadcastChannel("edgeauth " + auth.pathname) : null;

let known = 0; // when the session ends that this tab knows of, in seconds
let renewing = null; // the renewal under way, shared by all callers in this tab
let renewals = 0; // how many this tab has seen
let timer = 0;
let kept = false; // whether keep was called
let over = false; // whether the end has been told

const call = (route, init) =>
  globalThis.fetch(new URL(route, auth), {cache: "no-store", redirect: "error", credentials: "same-origin", headers: {Accept: "application/json"}, ...init});

const tell = name => self.dispatchEvent(new Event("edgeauth:" + name));

const locked = work => (navigator.locks ? navigator.locks.request("edgeauth " + auth.pathname, work) : work());

export async function session() {
  const answer = await call("session");
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error("edgeauth: the session cannot be checked right now");
  return answer.json();
}

export function renew() {
  renewing ??= locked(exchange).finally(() => { renewing = null; });
  return renewing;
}

// exchange runs in one tab at a time. The others find, when their turn comes, that there is a newer session than the one they know of.
async function exchange() {
  const before = await session();
  if (before && before.exp > known) return adopt(before);
  const answer = await call("refresh", {method: "POST"});
  if (answer.status !== 204 && answer.status !== 401) throw new Error("edgeauth: the session cannot be renewed right now");
  const after = await session(); // after a 401 too: a tab without this helper may have been faster
  if (!after) return end();
  if (answer.status === 204) channel?.postMessage("renewed");
  return adopt(after);
}

function adopt(current) {
  if (known && current.exp > known) tell("renewed");
  if (current.exp > known) renewals++;
  known = current.exp;
  over = false;
  plan(current);
  return true;
}

function end() {
  clearTimeout(timer);
  if (!over) tell("ended");
  known = 0;
  over = true;
  return false;
}

export async function fetch(input, init) {
  const request = new Request(input, init);
  const again = request.clone();
  const before = renewals;
  const answer = await globalThis.fetch(request);
  if (answer.status !== 401 || new URL(request.url).origin !== auth.origin) return answer;
  const renewed = renewals > before || await renew().catch(() => false);
  return renewed ? globalThis.fetch(again) : answer;
}

export async function keep() {
  kept = true;
  await look();
}

async function look() {
  const current = await session().catch(() => undefined);
  if (current === undefined) return later(30);
  if (current) adopt(current);
  else await renew().catch(() => later(30));
}

// plan sets the time of the next renewal: after three quarters of what is left, which leaves room for a sign-in service that is away for a while.
function plan({expires_in, refreshable}) {
  if (kept) later(refreshable ? Math.max(expires_in * 0.75, 5) : Math.max(expires_in, 1) + 1, refreshable ? early : look);
}

const early = () => renew().catch(() => later(30));

function later(seconds, work = look) {
  clearTimeout(timer);
  timer = setTimeout(work, Math.min(seconds * 1000, 2 ** 31 - 1));
}

export function signIn() {
  location.assign(new URL("login?return_to=" + encodeURIComponent(location.pathname + location.search + location.hash), auth));
}

export async function signOut() {
  const answer = await call("logout", {method: "POST"});
  if (!answer.ok) throw new Error("edgeauth: signing out failed");
  channel?.postMessage("ended");
  location.assign((await answer.json()).location);
}

// Another tab has renewed the session, or ended it: look what is true now.
channel?.addEventListener("message", () => { if (kept) look(); });

// A computer that slept has missed its timer.
self.document?.addEventListener("visibilitychange", () => { if (kept && document.visibilityState === "visible") look(); });
