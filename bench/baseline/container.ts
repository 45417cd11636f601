/**
 * A bare worker that starts a container with the least that can be: its traffic comes here, as ours does, and goes to the model.
 * `POST /` with the container's environment answers when what is in it has asked for `/told`.
 */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

type Env = { BARE: DurableObjectNamespace<Bare> };
type WithExit = { exports: { Exit(options: { props: { name: string; modelUrl: string } }): Fetcher } };
type Order = { env: Record<string, string>; modelUrl: string };

export class Exit extends WorkerEntrypoint<Env, { name: string; modelUrl: string }> {
  override fetch(request: Request): Promise<Response> {
    const { name, modelUrl } = this.ctx.props;
    const { pathname, search } = new URL(request.url);
    if (pathname === "/told") return this.env.BARE.get(this.env.BARE.idFromName(name)).fetch("http://bare/told");
    return fetch(new Request(modelUrl + pathname + search, request));
  }
}

export class Bare extends DurableObject<Env> {
  #told = Promise.withResolvers<void>();

  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === "/told") {
      this.#told.resolve();
      return new Response("noted");
    }
    const { env, modelUrl }: Order = await request.json();
    const { container } = this.ctx;
    const exit = (this.ctx as unknown as WithExit).exports.Exit({ props: { name: this.ctx.id.name ?? "", modelUrl } });
    await container?.interceptAllOutboundHttp(exit);
    const image = container?.images?.["runner"];
    const chosen = image === undefined ? {} : { image, instance: "standard-2" as const };
    container?.start({ ...chosen, env, enableInternet: false });
    await this.#told.promise;
    return new Response("told");
  }
}

export default {
  fetch: (request: Request, env: Env) => env.BARE.get(env.BARE.idFromName(crypto.randomUUID())).fetch(request),
};
