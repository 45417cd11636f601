import { createServer, type Server } from "node:http";

/** A container engine as podman is: a side-car whose container is there can't be removed, and what does not run can't be killed. */
export class FakeEngine {
  readonly containers = new Map<string, string>();
  readonly asked: string[] = [];
  hangs = false;
  readonly #server: Server;

  constructor(socket: string) {
    this.#server = createServer(({ method, url = "" }, answer) => {
      if (this.hangs) return;
      const { pathname } = new URL(url, "http://engine");
      const [, kind = "", id = "", action] = pathname.split("/");
      if (method !== "GET") this.asked.push(`${method} ${id}${action === undefined ? "" : ` ${action}`}`);
      const [status, body] = this.#answer(method ?? "", kind, id, action);
      answer.writeHead(status).end(JSON.stringify(body));
    }).listen(socket);
  }

  #answer(method: string, kind: string, id: string, action: string | undefined): [number, unknown] {
    if (kind === "_ping") return [200, "OK"];
    if (kind === "images") return [id.startsWith("there") ? 200 : id === "broken" ? 500 : 404, {}];
    if (method === "GET") {
      return [200, [...this.containers].map(([name, State]) => ({ Id: name, Names: [`/${name}`], State }))];
    }
    if (action === "kill") return [this.containers.get(id) === "running" ? 204 : 500, {}];
    if (this.containers.has(id.replace(/-proxy$/, "")) && id.endsWith("-proxy")) {
      return [500, { message: "has dependent containers" }];
    }
    return this.containers.delete(id) ? [204, null] : [404, {}];
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
