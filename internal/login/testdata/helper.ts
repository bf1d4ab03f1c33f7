// What a page may write against edgeauth.d.ts, and what the compiler has to refuse.
import * as declared from "./edgeauth.js";
import * as implemented from "./implementation.js";
import {fetch, install, keep, renew, session, signIn, signOut, version, type Session} from "./edgeauth.js";

// The module has everything that is declared, and nothing more.
export const complete: typeof declared = implemented;
export const undeclared: Record<Exclude<keyof typeof implemented, keyof typeof declared>, never> = {};

export async function page(): Promise<string> {
  install();
  await keep();
  const answer: Response = await fetch(new URL("/Prod/api/me", location.href), {method: "POST"});
  const who: Session | null = await session();
  // @ts-expect-error somebody may be signed out
  const unsafe: string = (await session()).sub;
  if (who === null) signIn({returnTo: "/Prod/", prompt: "login", provider: "Corp"});
  // @ts-expect-error no such prompt
  signIn({prompt: "maybe"});
  // @ts-expect-error no such option
  signIn({return_to: "/"});
  if (!(await renew())) await signOut();
  addEventListener("edgeauth:ended", e => e.detail.reason.length);
  addEventListener("edgeauth:renewed", e => e.detail.exp + e.detail.groups.length);
  addEventListener("edgeauth:denied", e => e.detail.reason + e.detail.url + e.detail.method);
  // @ts-expect-error an end has no address
  addEventListener("edgeauth:ended", e => e.detail.url);
  return version + unsafe + answer.status + (who?.email ?? "");
}
