// The kit as backends use it: literal events through real frameworks, whole, forged and in part.
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import express from "express";
import { Hono } from "hono";
import { handle } from "hono/aws-lambda";
import serverless from "serverless-http";
import { Anonymous, caller, machine, NoCaller, optional, version } from "edgeauth-identity";
import { optionalCaller as expressOptional, requireCaller as expressCaller } from "edgeauth-identity/express";
import { optionalCaller as honoOptional, requireCaller as honoCaller } from "edgeauth-identity/hono";

const read = path => readFileSync(new URL(path, import.meta.url), "utf8");
const names = ["rest", "http1", "http2"];
const events = Object.fromEntries(names.map(name => [name, JSON.parse(read(`../testdata/${name}.json`))]));
const good = events.rest.requestContext.authorizer;
const alice = JSON.parse(Buffer.from(good.identity, "base64url").toString());
const encoded = who => Buffer.from(JSON.stringify(who)).toString("base64url");

function event(name, path = "/me", authorizer) {
  const e = structuredClone(events[name]);
  if (name === "http2") e.rawPath = e.requestContext.http.path = "/Prod" + path;
  else e.path = name === "http1" ? "/Prod" + path : path;
  if (authorizer !== undefined) e.requestContext.authorizer = name === "http2" ? { lambda: authorizer } : authorizer;
  return e;
}

const without = (object, name) => Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));

// What names no caller, each with what is wrong with it.
const spoiled = [
  ["nothing", {}],
  ["a null", { lambda: null }],
  ["a principal alone", { principalId: "alice" }],
  ["a JWT authorizer's", { jwt: { claims: { sub: "alice", token_use: "id" }, scopes: null } }],
  ["a Cognito authorizer's", { claims: { sub: "alice", "cognito:groups": "admins" } }],
  ["the flat keys alone", without(good, "identity")],
  ["no version", without(good, "v")],
  ["another version", { ...good, v: "2" }],
  ["a version of another type", { ...good, v: 1 }],
  ["another version inside", { ...good, identity: encoded({ ...alice, v: "2" }) }],
  ...["", "e30", "!!!", good.identity.slice(0, -7), encoded([]), encoded("x"), encoded(null)].map(text => [`identity ${text.slice(0, 8)}`, { ...good, identity: text }]),
  ["identity of another type", { ...good, identity: alice }],
  ["identity as bytes", { ...good, identity: [...Buffer.from(JSON.stringify(alice))] }],
  ...Object.keys(alice).filter(key => key !== "auth_time" && key !== "claims").flatMap(key => [
    [`without ${key}`, { ...good, identity: encoded(without(alice, key)) }],
    [`null for ${key}`, { ...good, identity: encoded({ ...alice, [key]: null }) }],
  ]),
  ...[["iss", ""], ["sub", ""], ["sub", 7], ["client_id", ""], ["username", {}], ["email", true], ["groups", "admins"], ["groups", [""]], ["groups", [7]],
    ["scopes", {}], ["token_use", "refresh"], ["exp", "1893456000"], ["exp", 0], ["exp", 1.5], ["auth_time", ""], ["auth_time", -1], ["claims", []], ["claims", null]]
    .map(([key, value]) => [`${key} ${JSON.stringify(value)}`, { ...good, identity: encoded({ ...alice, [key]: value }) }]),
];

const nobody = { ...Object.fromEntries(Object.keys(good).map(key => [key, ""])), v: "1", anonymous: "true" };

test("anyone may be nobody", () => {
  assert.equal(optional(event("http2", "/me", nobody)), null);
  assert.deepEqual(optional(events.rest), alice);
  assert.throws(() => optional(event("rest", "/me", {})), NoCaller);
  for (const name of names) assert.throws(() => caller(event(name, "/me", nobody)), Anonymous);
  assert.throws(() => caller(event("rest", "/me", { ...good, anonymous: "true" })), Anonymous);
  for (const other of [{ ...nobody, v: "2" }, { ...nobody, anonymous: "" }]) {
    assert.throws(() => caller(event("rest", "/me", other)), problem => problem instanceof NoCaller && !(problem instanceof Anonymous));
  }
});

test("a whole context is a caller", () => {
  for (const name of names) assert.deepEqual(caller(events[name]), alice);
  assert.equal(alice.email, "alice@example.com");
  assert.deepEqual(caller(event("rest", "/me", { ...good, identity: encoded({ ...alice, amr: ["mfa"] }) })).groups, ["admins", "zoë"]);
  const program = { ...without(without(alice, "auth_time"), "claims"), token_use: "access", sub: "c", client_id: "c" };
  assert.equal(machine(caller(event("http2", "/me", { ...good, identity: encoded(program) }))), true);
  assert.equal(machine(alice), false);
});

test("anything less is none", () => {
  for (const name of names) for (const [wrong, authorizer] of spoiled) {
    assert.throws(() => caller(event(name, "/me", authorizer)), NoCaller, `${name}: ${wrong}`);
  }
  for (const odd of [undefined, null, {}, { requestContext: null }, { requestContext: { authorizer: "admin" } }]) assert.throws(() => caller(odd), NoCaller);
});

test("the package has the contract's version", () => {
  const contract = /const Version = "(\d+)"/.exec(read("../identity.go"))[1];
  assert.deepEqual([contract, JSON.parse(read("package.json")).version.split(".")[0]], [version, version]);
});

// Each application says who it is at any path, counts its calls, and has one answer of its own that may be stored.
const applications = {
  express(middleware = expressCaller) {
    const calls = { number: 0 };
    const app = express();
    app.use(middleware());
    app.get("/{*path}", (req, res) => {
      calls.number++;
      if (req.path.endsWith("stored")) res.set("Cache-Control", "max-age=60");
      res.send(req.identity?.email ?? "nobody");
    });
    return [serverless(app), calls];
  },
  hono(middleware = honoCaller) {
    const calls = { number: 0 };
    const app = new Hono();
    app.use(middleware());
    app.get("*", c => {
      calls.number++;
      return c.text(c.get("identity")?.email ?? "nobody", 200, c.req.path.endsWith("stored") ? { "Cache-Control": "max-age=60" } : {});
    });
    return [handle(app), calls];
  },
};

for (const [framework, begin] of Object.entries(applications)) {
  const header = (answer, name) => new Headers(answer.headers ?? Object.fromEntries(Object.entries(answer.multiValueHeaders).map(([k, v]) => [k, v[0]]))).get(name);
  const body = answer => answer.isBase64Encoded ? Buffer.from(answer.body, "base64").toString() : answer.body;

  test(`${framework}: a caller gets through, nobody else does`, async () => {
    for (const name of names) {
      const [handler, calls] = begin();
      let answer = await handler(event(name), {});
      assert.deepEqual([answer.statusCode, body(answer), header(answer, "Cache-Control")], [200, "alice@example.com", "no-store"], name);
      answer = await handler(event(name, "/stored"), {});
      assert.deepEqual([answer.statusCode, header(answer, "Cache-Control")], [200, "max-age=60"], name);
      assert.equal(calls.number, 2);
      for (const [wrong, authorizer] of spoiled) {
        answer = await handler(event(name, "/me", authorizer), {});
        assert.deepEqual([answer.statusCode, header(answer, "Cache-Control")], [401, "no-store"], `${name}: ${wrong}`);
        assert.deepEqual(JSON.parse(body(answer)), { message: "Unauthorized", reason: "no_session" });
      }
      assert.equal(calls.number, 2);
    }
  });
}

for (const [framework, optionally] of [["express", expressOptional], ["hono", honoOptional]]) {
  test(`${framework}: an anonymous request goes on where it is wanted`, async () => {
    for (const name of names) {
      const [strict] = applications[framework](), [lenient] = applications[framework](optionally);
      assert.equal((await strict(event(name, "/me", nobody), {})).statusCode, 401);
      for (const [authorizer, says] of [[nobody, "nobody"], [undefined, "alice@example.com"]]) {
        const answer = await lenient(event(name, "/me", authorizer), {});
        assert.deepEqual([answer.statusCode, answer.body], [200, says]);
      }
      assert.equal((await lenient(event(name, "/me", {}), {})).statusCode, 401);
    }
  });
}

test("express: an event from elsewhere, and none", () => {
  const middleware = expressCaller({ event: req => req.mine });
  const res = { sent: [], set: () => res, status: code => (res.sent.push(code), res), type: () => res, send: () => res };
  const req = { mine: events.rest };
  let reached = 0;
  middleware(req, res, () => reached++);
  assert.deepEqual([reached, req.identity, res.sent], [1, alice, []]);
  const bare = { identity: alice };
  middleware(bare, res, () => reached++);
  assert.deepEqual([reached, bare.identity, res.sent], [1, undefined, [401]]);
});
