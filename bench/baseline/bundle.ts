/** The least between a sandbox and what it clones from: a git host on this machine, passed on, and a bucket. */
import { DurableObject } from "cloudflare:workers";

interface Env {
  BODIES: R2Bucket;
}

export class Bare extends DurableObject<Env> {}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/bundle") {
      if (request.method === "PUT") {
        await env.BODIES.put("bundle", request.body);
        return new Response(null, { status: 204 });
      }
      const kept = await env.BODIES.get("bundle");
      return new Response(kept?.body ?? null, { status: kept === null ? 404 : 200 });
    }
    const [, port = "", rest = ""] = /^\/git\/([0-9]+)(\/.*)$/.exec(pathname) ?? [];
    return fetch(new Request(`http://127.0.0.1:${port}${rest}${search}`, request));
  },
};
