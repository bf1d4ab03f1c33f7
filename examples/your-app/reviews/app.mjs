// A backend in JavaScript.
import { caller, NoCaller } from "./identity.mjs";

const headers = { "Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" };

export const handler = async (event) => {
  let who;
  try {
    who = caller(event);
  } catch (e) {
    if (!(e instanceof NoCaller)) throw e;
    return { statusCode: 401, headers, body: '{"message":"Unauthorized"}' };
  }
  return { statusCode: 200, headers, body: JSON.stringify({ language: "javascript", sub: who.sub, email: who.email, groups: who.groups }) };
};
