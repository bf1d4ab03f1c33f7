import type { Request, RequestHandler } from "express";
import type { Identity } from "./identity.mjs";

declare global {
  namespace Express {
    interface Request {
      /** Who sent the request; there behind requireCaller. */
      identity?: Identity;
    }
  }
}

export interface Options {
  /** Where the adapter leaves the event. Default: req.apiGateway.event, which serverless-http sets. */
  event?: (req: Request) => unknown;
}

/** Returns middleware that answers 401 to a request without a caller, and keeps answers from being stored unless the application says otherwise. */
export function requireCaller(options?: Options): RequestHandler;
