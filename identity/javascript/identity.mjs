// Who the caller is, for backends behind the authorizer: copy this file, or these lines, into a Lambda function.
//
//   import { caller, NoCaller } from "./identity.mjs";
//
//   export const handler = async (event) => {
//     const who = caller(event); // throws NoCaller: answer 401
//     return { statusCode: 200, body: `Hello, ${who.sub}` };
//   };
//
// What is in it is described by schema.json, under $defs/identity. A user is iss and sub together.

/** The event names no caller, completely and in the version that this file knows. */
export class NoCaller extends Error {}

/** Returns the caller of a REST, HTTP or WebSocket API's event, or throws NoCaller. */
export function caller(event) {
  const authorizer = event?.requestContext?.authorizer;
  const handed = authorizer?.lambda ?? authorizer;
  let who;
  try {
    who = JSON.parse(Buffer.from(handed.identity, "base64url").toString("utf8"));
  } catch {
    throw new NoCaller();
  }
  const known = handed.v === "1" && who?.v === "1" && ["id", "access"].includes(who.token_use);
  if (!known || !who.iss || !who.sub || !who.client_id || !who.exp) {
    throw new NoCaller();
  }
  return who;
}
