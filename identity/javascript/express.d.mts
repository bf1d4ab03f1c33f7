import type { Request, RequestHandler } from "express";
import type { Identity } from "./identity.mjs";

declare global {
  namespace Express {
    interface Request {
      /** Who sent the request; there behind requireCaller, or null behind optionalCaller for a request without a caller. */
      identity?: Identity | null;
    }
  }
}

export interface Options {
  /** Where the adapter leaves the event. Default: req.apiGateway.event, which serverless-http sets. */
  event?: (req: Request) => unknown;
}

/** Returns middleware that answers 401 to a request without a caller, and keeps answers from being stored unless the application says otherwise. */
export function requireCaller(options?: Options): RequestHandler;

/** As requireCaller; where a rule lets anyone through, a request without a caller goes on too, with null as req.identity. */
export function optionalCaller(options?: Options): RequestHandler;
