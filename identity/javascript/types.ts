// What a backend may write against the kit's types, and what the compiler has to refuse.
import express from "express";
import { Hono } from "hono";
import { caller, machine, NoCaller, type Identity } from "edgeauth-identity";
import { requireCaller as expressCaller } from "edgeauth-identity/express";
import { optionalCaller, requireCaller as honoCaller } from "edgeauth-identity/hono";

export function greet(event: unknown): string {
  try {
    const who: Identity = caller(event);
    // @ts-expect-error machines have not signed in
    const moment: number = who.auth_time;
    return who.groups.join() + machine(who) + moment;
  } catch (problem) {
    return problem instanceof NoCaller ? "nobody" : "?";
  }
}

express().use(expressCaller({ event: req => req.headers })).get("/", (req, res) => void res.send(req.identity?.email));
// @ts-expect-error without requireCaller there is none
express().get("/", (req, res) => void res.send(req.identity.email));

new Hono().use(honoCaller()).get("/", c => c.text(c.get("identity").email));
// @ts-expect-error there may be no caller
new Hono().use(optionalCaller()).get("/", c => c.text(c.get("identity").email));
