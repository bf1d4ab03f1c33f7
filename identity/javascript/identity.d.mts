/** A caller whose token was verified before the request got here. A user is iss and sub together. */
export interface Identity {
  v: "1";
  /** The user pool that vouches for sub. */
  iss: string;
  /** Who it is, for as long as the user exists; unique within iss only. */
  sub: string;
  username: string;
  /** Empty unless the pool has verified it. */
  email: string;
  groups: string[];
  /** Of access tokens. */
  scopes: string[];
  /** "id": a browser session; "access": a bearer token. */
  token_use: "id" | "access";
  /** The app client that the token was issued to. */
  client_id: string;
  /** When the token ends, in seconds since 1970. */
  exp: number;
  /** When the user last proved who they are, in seconds since 1970; absent for machines. */
  auth_time?: number;
  /** Further claims that the deployment hands on. */
  claims?: Record<string, unknown>;
}

/** Version of the contract, the value of the key "v". */
export const version: "1";

/** The event names no caller, completely and in the version that this package knows: answer 401. */
export class NoCaller extends Error {}

/** The authorizer let the request through without a caller, because a rule lets anyone through. */
export class Anonymous extends NoCaller {}

/** What a request without a caller is answered, in the form that the API's own refusals have. */
export const refusal: string;

/** Returns the caller of a REST, HTTP or WebSocket API's event, or throws NoCaller; Anonymous, if a rule lets anyone through. */
export function caller(event: unknown): Identity;

/** As caller; null for a request without one, where a rule lets anyone through. */
export function optional(event: unknown): Identity | null;

/** Whether the caller is a program with credentials of its own: no user stands behind the request. */
export function machine(who: Identity): boolean;
