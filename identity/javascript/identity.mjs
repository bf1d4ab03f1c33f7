// Who the caller is, for backends behind the authorizer.
//
//   import { caller, NoCaller } from "edgeauth-identity";
//
//   export const handler = async (event) => {
//     const who = caller(event); // throws NoCaller: answer 401
//     return { statusCode: 200, body: `Hello, ${who.sub}` };
//   };
//
// express.mjs and hono.mjs hold middleware. What is in an identity is described by identity.d.mts and by schema.json of the project, under
// $defs/identity. A user is iss and sub together.

/** Version of the contract, the value of the key "v". */
export const version = "1";

/** The event names no caller, completely and in the version that this file knows. */
export class NoCaller extends Error {}

/** The authorizer let the request through without a caller, because a rule lets anyone through. */
export class Anonymous extends NoCaller {}

/** What a request without a caller is answered, in the form that the API's own refusals have. */
export const refusal = '{"message":"Unauthorized","reason":"no_session"}\n';

const text = value => typeof value === "string";
const name = value => text(value) && value !== "";
const names = value => Array.isArray(value) && value.every(name);
const seconds = value => Number.isSafeInteger(value) && value > 0;

const members = {
  v: value => value === version,
  iss: name,
  sub: name,
  username: text,
  email: text,
  groups: names,
  scopes: names,
  token_use: value => value === "id" || value === "access",
  client_id: name,
  exp: seconds,
  auth_time: value => value === undefined || seconds(value),
  claims: value => value === undefined || typeof value === "object" && value !== null && !Array.isArray(value),
};

/** Returns the caller of a REST, HTTP or WebSocket API's event, or throws NoCaller; Anonymous, if a rule lets anyone through. */
export function caller(event) {
  const authorizer = event?.requestContext?.authorizer;
  const handed = authorizer?.lambda ?? authorizer;
  if (handed?.v === version && handed.anonymous === "true") throw new Anonymous();
  let who;
  try {
    who = JSON.parse(Buffer.from(handed.identity, "base64url").toString("utf8"));
  } catch {
    throw new NoCaller();
  }
  if (handed.v !== version || !text(handed.identity) || !Object.entries(members).every(([key, fits]) => fits(who?.[key]))) throw new NoCaller();
  return who;
}

/** Whether the caller is a program with credentials of its own: no user stands behind the request. */
export const machine = who => who.token_use === "access" && who.sub === who.client_id;

/** As caller; null for a request without one, where a rule lets anyone through. */
export function optional(event) {
  try {
    return caller(event);
  } catch (problem) {
    if (problem instanceof Anonymous) return null;
    throw problem;
  }
}
