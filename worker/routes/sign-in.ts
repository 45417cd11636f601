/** Signing a browser in and out: by the owner's token, or by a one-use code that the owner made. */
import { z } from "zod";
import { authorityOfToken, hashSecret, makeSecret } from "#instance/secrets.ts";
import { refuse, success } from "#protocol/errors.ts";
import { timestamp, timestampSchema } from "#protocol/time.ts";
import { endSockets } from "../auth/end-sockets.ts";
import { isOwnOrigin } from "../auth/origin.ts";
import { makeSignInId } from "../auth/sign-in-ids.ts";
import { clearWebCookie, readWebCookie, WEB_SESSION_LIFETIME_MS, writeWebCookie } from "../auth/web-cookie.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App, HttpContext } from "../http/http-env.ts";
import { withExample } from "../http/openapi/examples/example.ts";
import { LATER } from "../http/openapi/examples/ids.ts";

const SIGN_IN_CODE_LIFETIME_MS = 600_000;
const USER_AGENT_LENGTH = 300;

const credential = z.string().min(1).max(500);
const signInInput = withExample(
  z
    .strictObject({ token: credential.optional(), code: credential.optional() })
    .refine(({ token, code }) => (token === undefined) !== (code === undefined), "must have either token or code")
    .meta({ id: "SignInInput" }),
  { code: "(the one-use code)" },
);
const signInCode = withExample(z.object({ code: z.string(), expires_at: timestampSchema }).meta({ id: "SignInCode" }), {
  code: "(good for one use, for ten minutes)",
  expires_at: LATER,
});

const at = { method: "post", tag: "Sign-in" } as const;

export function mountSignIn(app: App): void {
  endpoint(
    app,
    {
      ...at,
      path: "/api/v1/sign-in",
      id: "signIn",
      refuses: ["sign_in_refused", "origin_refused"],
      summary: "Sign a browser in",
      description:
        "Sets the cookie of a web session, which lasts 30 days, or until it is ended, or OWNER_TOKEN or SIGNING_KEY changes.",
      needs: "nothing",
      body: { schema: signInInput, optional: false },
      answer: { status: 204 },
    },
    async ({ c, body }) => {
      if (isForeignOrigin(c)) return refuse("origin_refused", { field: "Origin" });
      const now = Date.now();
      const { signIns } = c.var.deps;
      const authority = await acceptedBy(c, body, now);
      if (authority === null) {
        return refuse("sign_in_refused", { field: body.token === undefined ? "code" : "token" });
      }
      const secret = makeSecret("web_session");
      await signIns.add(
        {
          hash: await hashSecret(secret),
          id: makeSignInId(now),
          authority,
          expiresAt: now + WEB_SESSION_LIFETIME_MS,
          userAgent: c.req.header("user-agent")?.slice(0, USER_AGENT_LENGTH) ?? null,
          ip: c.req.header("cf-connecting-ip") ?? null,
        },
        now,
      );
      writeWebCookie(c, secret);
      return success(null);
    },
  );
  endpoint(
    app,
    {
      ...at,
      path: "/api/v1/sign-out",
      id: "signOut",
      refuses: ["origin_refused"],
      summary: "Sign this browser out",
      needs: "nothing",
      answer: { status: 204 },
    },
    async ({ c }) => {
      const secret = readWebCookie(c);
      if (secret === undefined) return success(null);
      if (!isOwnOrigin(c.req.header("origin"), c.req.url, c.var.deps.config.publicUrl)) {
        return refuse("origin_refused", { field: "Origin" });
      }
      const { deps } = c.var;
      await deps.signIns.end({ hash: await hashSecret(secret) }, Date.now());
      // What is owed from here on is made good by the sweep, whatever fails now.
      c.executionCtx.waitUntil(endSockets(deps, Date.now()));
      clearWebCookie(c);
      return success(null);
    },
  );
  endpoint(
    app,
    {
      ...at,
      path: "/api/v1/sign-in/codes",
      id: "createSignInCode",
      summary: "Make a one-use sign-in code",
      description: "Works once, for ten minutes: open the instance's address with #code= and the code.",
      needs: "instance:admin",
      answer: { status: 201, schema: signInCode },
    },
    async ({ c, principal }) => {
      const now = Date.now();
      const expiresAt = now + SIGN_IN_CODE_LIFETIME_MS;
      const code = makeSecret("sign_in_code");
      await c.var.deps.signIns.addCode(
        await hashSecret(code),
        { expiresAt, madeBy: principal?.access.session ?? null, authority: principal?.access.authority ?? "" },
        now,
      );
      return success({ code, expires_at: timestamp(expiresAt) });
    },
  );
}

/** @returns what the sign-in is bound to: it ends with the owner's token that has led to it. Null when it is not accepted. */
async function acceptedBy(c: HttpContext, given: z.output<typeof signInInput>, now: number): Promise<string | null> {
  const { config, signIns } = c.var.deps;
  if (given.token !== undefined) return authorityOfToken(config, given.token);
  return given.code === undefined ? null : signIns.takeCode(await hashSecret(given.code), now);
}

/** Another site must not sign a browser in under its own choice of account. */
function isForeignOrigin(c: HttpContext): boolean {
  const origin = c.req.header("origin");
  return origin !== undefined && !isOwnOrigin(origin, c.req.url, c.var.deps.config.publicUrl);
}
