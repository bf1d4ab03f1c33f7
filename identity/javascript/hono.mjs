// Middleware for Hono behind its AWS Lambda adapter: a request without a caller is answered 401, and answers are not stored unless the application says so.
//
//   app.use(requireCaller());
//   app.get("/me", c => c.text(c.get("identity").email));

import { caller, NoCaller, optional, refusal } from "./identity.mjs";

/** Returns the middleware. */
export const requireCaller = () => middleware(caller);

/** As requireCaller; where a rule lets anyone through, a request without a caller goes on too, with null as c.get("identity"). */
export const optionalCaller = () => middleware(optional);

function middleware(who) {
  return async (c, next) => {
    try {
      c.set("identity", who(c.env?.event));
    } catch (problem) {
      if (!(problem instanceof NoCaller)) throw problem;
      return c.body(refusal, 401, { "Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" });
    }
    await next();
    if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-store");
  };
}
