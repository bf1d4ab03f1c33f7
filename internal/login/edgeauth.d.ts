// Types of edgeauth.js, the sign-in helper for pages behind edgeauth. Keep a copy beside the sources and give it the helper's address in tsconfig.json:
//
//   "paths": {"/Prod/auth/edgeauth.js": ["./edgeauth.d.ts"]}

/** Version of the helper. */
export const version: string;

/** Who is signed in. A user is known by sub; what is shown of them may change. */
export interface Session {
  sub: string;
  username: string;
  /** As the user pool knows it. */
  email?: string;
  groups: string[];
  /** When the user last proved who they are, in seconds since 1970. */
  auth_time: number;
  /** When the session ends unless it is renewed, in seconds since 1970. */
  exp: number;
  /** Seconds from now to exp, by the server's clock. */
  expires_in: number;
  /** Whether the session can be renewed. */
  refreshable: boolean;
  /** Whether the session is bound to this device: the browser renews it by itself then, before it sends a request that needs it. */
  bound?: boolean;
  /** Where a form may POST to, to sign out. */
  logout_url: string;
  /** Further claims, where the deployment hands some on. */
  [claim: string]: unknown;
}

/** Detail of "edgeauth:ended": the reason code, such as "no_session", "session_ended" or "session_changed". */
export interface Ended {
  reason: string;
}

/** Detail of "edgeauth:denied": the reason code, such as "group_required" or "step_up_required", and the request that was refused. */
export interface Denied {
  reason: string;
  url: string;
  method: string;
}

export interface SignInOptions {
  /** Address of this origin to come back to. Default: the present one, with query and fragment. */
  returnTo?: string | URL;
  /** As in OpenID Connect: "login" asks for the password even of somebody who is signed in. */
  prompt?: "login" | "none" | "select_account" | "consent";
  /** Name of an external identity provider of the user pool, to skip the choice. */
  provider?: string;
}

/**
 * As the built-in fetch. A 401 of this origin renews the session, once for all callers, and sends the request again. Once the session is over, a path that
 * was answered 401 is answered so without a request, until somebody is signed in again. Requests to the sign-in routes, to other origins, without
 * credentials or with an Authorization header go through untouched.
 */
export function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;

/** Puts that fetch in the place of the built-in one. */
export function install(): void;

/** Renews the session before it ends, once for all tabs, for as long as the page is open. */
export function keep(): Promise<void>;

/** Who is signed in, or null. Rejects when nobody can tell right now. */
export function session(): Promise<Session | null>;

/** Renews the session now. True: there is one; false: it is over. Rejects when nobody can tell right now. */
export function renew(): Promise<boolean>;

/** Goes to the login and comes back. Throws a TypeError for a returnTo of another origin. */
export function signIn(options?: SignInOptions): void;

/** Ends the session, here and at the sign-in service. Rejects when that failed, in which case the session goes on. */
export function signOut(): Promise<void>;

declare global {
  interface WindowEventMap {
    /** The session was renewed, or is there again. */
    "edgeauth:renewed": CustomEvent<Session>;
    /** The session is over; told once, and never to somebody who had none. */
    "edgeauth:ended": CustomEvent<Ended>;
    /** A request through the helper's fetch was refused although somebody is signed in. */
    "edgeauth:denied": CustomEvent<Denied>;
  }
}
