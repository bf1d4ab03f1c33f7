// Middleware for Express behind serverless-http: a request without a caller is answered 401, and answers are not stored unless the application says so.
//
//   app.use(requireCaller());
//   app.get("/me", (req, res) => res.send(req.identity.email));

import { caller, NoCaller, optional, refusal } from "./identity.mjs";

/** Returns the middleware; event says where an adapter other than serverless-http leaves the event. */
export const requireCaller = options => middleware(caller, options);

/** As requireCaller; where a rule lets anyone through, a request without a caller goes on too, with null as req.identity. */
export const optionalCaller = options => middleware(optional, options);

function middleware(who, { event = req => req.apiGateway?.event } = {}) {
  return (req, res, next) => {
    res.set("Cache-Control", "no-store");
    delete req.identity;
    try {
      req.identity = who(event(req));
    } catch (problem) {
      if (!(problem instanceof NoCaller)) throw problem;
      return res.status(401).set("X-Content-Type-Options", "nosniff").type("application/json").send(refusal);
    }
    next();
  };
}
