import type { MiddlewareHandler } from "hono";
import type { Identity } from "./identity.mjs";

/** Returns middleware that answers 401 to a request without a caller, and keeps answers from being stored unless the application says otherwise. */
export function requireCaller(): MiddlewareHandler<{ Variables: { identity: Identity } }>;

/** As requireCaller; where a rule lets anyone through, a request without a caller goes on too, with null as c.get("identity"). */
export function optionalCaller(): MiddlewareHandler<{ Variables: { identity: Identity | null } }>;
