// The sign-in helper against an API, a sign-in service and tabs of a few lines each. Time is the test's own.
import {test} from "node:test";
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import vm from "node:vm";

const source = readFileSync(process.env.EDGEAUTH_JS ?? new URL("edgeauth.js", import.meta.url), "utf8");
const origin = "https://app.example";
const json = (status, body) => new Response(JSON.stringify(body), {status});

// A site is what all tabs of one browser share: its cookies, in words, and what the servers make of them.
class Site {
  requests = [];
  tabs = new Set();
  session = null; // {exp}
  refreshable = false;
  refresh = () => { this.session = this.lasting(3600); return new Response(null, {status: 204}); };
  reason = "no_session";
  at = 1000; // now, in seconds
  locks = Promise.resolve();

  lasting(seconds) { return {sub: "s-1", exp: this.at + seconds}; }

  api = () => this.session && this.session.exp > this.at ? json(200, {ok: true}) : json(401, {error: "unauthorized"});

  async answer(request) {
    const {pathname, host} = new URL(request.url);
    this.requests.push(`${request.method} ${host === "app.example" ? "" : host}${pathname.replace("/Prod/auth/", "")}`);
    await null;
    switch (pathname) {
      case "/Prod/auth/session":
        if (!this.session || this.session.exp <= this.at) return json(401, {reason: this.reason, ...(this.refreshable && {refreshable: true})});
        return json(200, {...this.session, expires_in: this.session.exp - this.at, refreshable: this.refreshable});
      case "/Prod/auth/refresh":
        return this.refreshable ? this.refresh() : json(401, {reason: this.reason});
      case "/Prod/auth/logout":
        return json(200, {location: "https://idp.example/logout"});
    }
    return this.api(request);
  }

  taken() { return this.requests.splice(0); }

  // open loads a page with the helper, which names itself as its script element does.
  async open(query = "", {fetch} = {}) {
    const site = this, events = [], targets = new EventTarget(), visible = new EventTarget();
    const timers = new Map();
    const tab = {events, timers, module: null, location: {href: origin + "/Prod/page?a=1#part", assign(to) { this.went = String(to); }}};
    class BroadcastChannel extends EventTarget {
      constructor() { super(); site.tabs.add(this); }
      postMessage(data) { for (const other of site.tabs) if (other !== this) other.dispatchEvent(Object.assign(new Event("message"), {data})); }
    }
    visible.visibilityState = "visible";
    visible.baseURI = tab.location.href;
    const globals = {
      URL, Request, Response, Headers, Event, CustomEvent, BroadcastChannel, TypeError, document: visible, location: tab.location,
      Date: {now: () => site.at * 1000},
      fetch: fetch ?? ((input, init) => site.answer(new Request(input, init))),
      navigator: {locks: {request: (_, work) => (site.locks = site.locks.catch(() => {}).then(work))}},
      setTimeout: (work, ms) => { const id = timers.size + 1; timers.set(id, {work, ms}); return id; },
      clearTimeout: id => timers.delete(id),
      addEventListener: targets.addEventListener.bind(targets), dispatchEvent: targets.dispatchEvent.bind(targets),
    };
    globals.self = globals;
    for (const name of ["renewed", "ended", "denied"]) targets.addEventListener("edgeauth:" + name, e => events.push({name, ...e.detail}));
    tab.load = async query => {
      const m = new vm.SourceTextModule(source, {context: tab.context, initializeImportMeta: meta => { meta.url = `${origin}/Prod/auth/edgeauth.js${query}`; }});
      await m.link(() => {});
      await m.evaluate();
      return m.namespace;
    };
    tab.context = vm.createContext(globals);
    tab.fetch = (path, init) => globals.fetch(new URL(path, origin), init);
    tab.show = () => visible.dispatchEvent(new Event("visibilitychange"));
    tab.globals = globals;
    tab.module = await tab.load(query);
    await settle();
    return tab;
  }
}

const settle = () => new Promise(done => setTimeout(done, 20));
const names = tab => tab.events.map(e => e.name);

const signedIn = (seconds = 3600) => {
  const site = new Site();
  site.session = site.lasting(seconds);
  site.refreshable = true;
  return site;
};

test("install replaces the global fetch, which renews and asks again", async () => {
  const site = signedIn();
  const tab = await site.open("?install");
  assert.deepEqual(site.taken(), ["GET session"]);
  site.session = null;
  const answer = await tab.fetch("/Prod/api/me", {method: "POST", body: "text"});
  assert.equal(answer.status, 200);
  assert.deepEqual(site.taken(), ["POST /Prod/api/me", "GET session", "POST refresh", "GET session", "POST /Prod/api/me"]);
});

test("without install the global fetch stays the built-in one", async () => {
  const site = signedIn();
  const tab = await site.open();
  site.session = null;
  assert.equal((await tab.fetch("/Prod/api/me")).status, 401);
  assert.deepEqual(site.taken(), ["GET /Prod/api/me"]);
  tab.module.install();
  tab.module.install();
  assert.equal((await tab.fetch("/Prod/api/me")).status, 200);
});

test("assigning the helper's fetch by hand does not recurse, nor does a second copy of the helper", async () => {
  const site = signedIn();
  const tab = await site.open();
  tab.globals.fetch = tab.module.fetch;
  assert.equal((await tab.fetch("/Prod/api/me")).status, 200);
  const installed = await site.open("?install");
  const twin = await installed.load("");
  site.taken();
  site.session = null;
  site.refreshable = false;
  await twin.fetch(origin + "/Prod/api/me");
  assert.deepEqual(site.taken(), ["GET /Prod/api/me", "GET session"]);
});

test("the sign-in routes, other origins, and requests that mean no session go through untouched", async () => {
  const site = signedIn();
  const seen = [];
  const tab = await site.open("", {fetch: (...args) => { seen.push(args); return Promise.resolve(json(401, {reason: "no_session"})); }});
  for (const args of [
    ["https://other.example/x", {method: "POST", body: "b"}],
    ["/Prod/auth/session", undefined],
    [new Request("https://other.example/y"), undefined],
  ]) {
    await tab.module.fetch(...args);
    assert.deepEqual(seen.splice(0), [args]);
  }
  for (const init of [{credentials: "omit"}, {headers: {Authorization: "Bearer x"}}]) {
    assert.equal((await tab.module.fetch(origin + "/Prod/api/me", init)).status, 401);
    assert.equal(seen.splice(0).length, 1);
  }
});

test("once the session is over, a refused path is answered without a request", async () => {
  const site = signedIn();
  const tab = await site.open("?install");
  site.session = null;
  site.refresh = () => json(401, {reason: "session_ended"});
  site.taken();
  assert.equal((await tab.fetch("/Prod/api/me")).status, 401);
  assert.deepEqual(site.taken(), ["GET /Prod/api/me", "GET session", "POST refresh", "GET session"]);
  assert.deepEqual(tab.events, [{name: "ended", reason: "session_ended"}]);
  for (let i = 0; i < 10; i++) {
    const answer = await tab.fetch("/Prod/api/me", {method: "POST"});
    assert.equal(answer.status, 401);
    assert.equal((await answer.json()).error, "unauthorized");
  }
  assert.deepEqual(site.taken(), []);
  // A path that was not refused may be a public one: it is asked, once.
  for (let i = 0; i < 3; i++) assert.equal((await tab.fetch("/Prod/api/other")).status, 401);
  assert.deepEqual(site.taken(), ["GET /Prod/api/other"]);
  site.api = () => json(200, {});
  for (let i = 0; i < 3; i++) assert.equal((await tab.fetch("/Prod/public")).status, 200);
  assert.equal(site.taken().length, 3);
  assert.deepEqual(names(tab), ["ended"]);
});

test("somebody signs in elsewhere, and the tab goes on", async () => {
  for (const how of ["another tab", "a look at this one"]) {
    const site = signedIn();
    const tab = await site.open("?install");
    site.session = null;
    site.refresh = () => json(401, {reason: "session_ended"});
    await tab.fetch("/Prod/api/me");
    site.session = site.lasting(3600);
    if (how === "another tab") await site.open("?install");
    else tab.show();
    await settle();
    assert.deepEqual(names(tab), ["ended", "renewed"], how);
    assert.equal(tab.events[1].sub, "s-1");
    assert.equal((await tab.fetch("/Prod/api/me")).status, 200, how);
  }
});

test("an anonymous visitor costs one question, and is told of no end", async () => {
  for (const begin of [tab => tab.module.keep(), tab => tab.module.install(), tab => tab.module.renew()]) {
    const site = new Site();
    const tab = await site.open();
    await begin(tab);
    await settle();
    assert.deepEqual(site.taken(), ["GET session"]);
    for (let i = 0; i < 5; i++) await tab.module.fetch(origin + "/Prod/api/me");
    assert.deepEqual(site.taken(), ["GET /Prod/api/me"]);
    assert.deepEqual(tab.events, []);
    assert.equal(tab.timers.size, 0);
    assert.equal(await tab.module.session(), null);
  }
});

test("a visitor whose session ended before the page came is told, once", async () => {
  const site = new Site();
  site.refreshable = true;
  site.refresh = () => json(401, {reason: "session_ended"});
  const tab = await site.open("?install");
  await tab.fetch("/Prod/api/me");
  assert.deepEqual(tab.events, [{name: "ended", reason: "session_ended"}]);
});

test("ten requests at once share one renewal", async () => {
  const site = signedIn();
  const tab = await site.open("?install");
  site.session = null;
  site.taken();
  const answers = await Promise.all(Array.from({length: 10}, () => tab.fetch("/Prod/api/me")));
  assert.deepEqual(answers.map(a => a.status), Array(10).fill(200));
  assert.deepEqual(site.taken().filter(r => !r.endsWith("/Prod/api/me")), ["GET session", "POST refresh", "GET session"]);
});

test("tabs renew one after the other, and only the first asks the sign-in service", async () => {
  const site = signedIn(100);
  const tabs = [await site.open("?install"), await site.open("?install")];
  site.session = null;
  site.taken();
  assert.deepEqual((await Promise.all(tabs.map(t => t.fetch("/Prod/api/me")))).map(a => a.status), [200, 200]);
  await settle();
  assert.equal(site.taken().filter(r => r === "POST refresh").length, 1);
  assert.deepEqual(tabs.map(names), [["renewed"], ["renewed"]]);
});

test("a path that refuses a good session is not a reason to renew again and again", async () => {
  const site = signedIn();
  const tab = await site.open("?install");
  site.api = () => json(401, {});
  site.taken();
  let renewals = 0;
  for (let i = 0; i < 10; i++) {
    assert.equal((await tab.fetch("/Prod/api/odd")).status, 401);
    renewals += site.taken().filter(r => r === "POST refresh").length;
    site.at++;
  }
  assert.equal(renewals, 1);
  site.at += 30;
  await tab.fetch("/Prod/api/odd");
  assert.equal(site.taken().filter(r => r === "POST refresh").length, 1);
  assert.deepEqual(names(tab).filter(n => n === "ended"), []);
});

test("a sign-in service that is away ends nothing", async () => {
  const site = signedIn();
  const tab = await site.open("?install");
  site.session = null;
  site.refresh = () => json(503, {reason: "provider_unavailable"});
  assert.equal((await tab.fetch("/Prod/api/me")).status, 401);
  await assert.rejects(tab.module.renew(), /cannot be renewed right now/);
  assert.deepEqual(tab.events, []);
  site.refresh = () => { site.session = site.lasting(3600); return new Response(null, {status: 204}); };
  assert.equal((await tab.fetch("/Prod/api/me")).status, 200);
});

test("a denied request is told with its reason", async () => {
  const site = signedIn();
  const tab = await site.open("?install");
  site.api = () => {
    const answer = json(403, {reason: "group_required"});
    return Object.defineProperties(answer, {redirected: {value: true}, url: {value: origin + "/Prod/auth/denied?reason=group_required"}});
  };
  assert.equal((await tab.fetch("/Prod/api/admin", {method: "POST"})).status, 403);
  assert.deepEqual(tab.events, [{name: "denied", reason: "group_required", url: origin + "/Prod/api/admin", method: "POST"}]);
  site.api = () => Object.defineProperties(json(403, {}), {redirected: {value: true}, url: {value: origin + "/Prod/elsewhere"}});
  await tab.fetch("/Prod/api/admin");
  assert.equal(tab.events.length, 1);
});

test("keep renews before the end, and looks again when it could not", async () => {
  const site = signedIn(100);
  const tab = await site.open();
  await tab.module.keep();
  const next = () => { const [id, timer] = [...tab.timers][0]; tab.timers.delete(id); return timer; };
  let timer = next();
  assert.equal(timer.ms, 75_000);
  site.at += 75;
  site.refresh = () => json(503, {});
  await timer.work();
  timer = next();
  assert.equal(timer.ms, 30_000);
  site.refresh = () => { site.session = site.lasting(3600); return new Response(null, {status: 204}); };
  site.taken();
  await timer.work();
  assert.deepEqual(names(tab), []); // the old one is still good
  await next().work();
  assert.deepEqual(names(tab), ["renewed"]);
});

test("a session that is bound to the device is renewed by the browser, and the helper only looks", async () => {
  const site = new Site();
  site.lasting = seconds => ({sub: "s-1", exp: site.at + seconds, bound: true});
  site.session = site.lasting(100);
  site.refreshable = true;
  const answer = site.answer.bind(site);
  site.answer = request => {
    if (site.session.exp <= site.at) site.session = site.lasting(100); // what the browser does before it sends this
    return answer(request);
  };
  const tab = await site.open();
  await tab.module.keep();
  assert.equal(await tab.module.renew(), true);
  const [{work, ms}] = tab.timers.values();
  assert.equal(ms, 101_000);
  site.at += 101;
  await work();
  assert.deepEqual(names(tab), ["renewed"]);
  assert.deepEqual(site.taken(), ["GET session", "GET session", "GET session"]);
});

test("a session that cannot be renewed ends on time", async () => {
  const site = signedIn(100);
  site.refreshable = false;
  const tab = await site.open("?install");
  const [{work, ms}] = tab.timers.values();
  assert.equal(ms, 101_000);
  site.at += 101;
  site.reason = "token_expired";
  await work();
  assert.deepEqual(tab.events, [{name: "ended", reason: "token_expired"}]);
});

test("a sign-out in one tab is the end in the others", async () => {
  const site = signedIn();
  const [tab, other] = [await site.open(), await site.open("?install")];
  site.session = null;
  site.refreshable = false;
  await tab.module.signOut();
  await settle();
  assert.equal(tab.location.went, "https://idp.example/logout");
  assert.deepEqual(other.events, [{name: "ended", reason: "no_session"}]);
});

test("signIn leads to the login and back", async () => {
  const tab = await new Site().open();
  tab.module.signIn();
  assert.equal(tab.location.went, origin + "/Prod/auth/login?return_to=%2FProd%2Fpage%3Fa%3D1%23part");
  tab.module.signIn({returnTo: "/Prod/other?b=2", prompt: "login", provider: "Corp"});
  assert.equal(tab.location.went, origin + "/Prod/auth/login?return_to=%2FProd%2Fother%3Fb%3D2&prompt=login&identity_provider=Corp");
  for (const returnTo of ["https://evil.example/", "//evil.example/", "/\\evil.example/"]) {
    assert.throws(() => tab.module.signIn({returnTo}), /this origin only/);
  }
});
