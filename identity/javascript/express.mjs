// Middleware for Express behind serverless-http: a request without a caller is answered 401, and answers are not stored unless the application says so.
//
//   app.use(requireCaller());
//   app.get("/me", (req, res) => res.send(req.identity.email));

import { caller, NoCaller, refusal } from "./identity.mjs";

/** Returns the middleware; event says where an adapter other than serverless-http leaves the event. */
export function requireCaller({ event = req => req.apiGateway?.event } = {}) {
  return (req, res, next) => {
    res.set("Cache-Control", "no-store");
    delete req.identity;
    try {
      req.identity = caller(event(req));
    } catch (problem) {
      if (!(problem instanceof NoCaller)) throw problem;
      return res.status(401).set("X-Content-Type-Options", "nosniff").type("application/json").send(refusal);
    }
    next();
  };
}
