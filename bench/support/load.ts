/** A load generator: requests over a fixed number of connections, each with one request at a time. */
import { Client } from "undici";
import { nowMs } from "./clock.ts";
import { serveHelper } from "./serve-helper.ts";
import { percentile } from "./statistics.ts";

export interface LoadOrder {
  url: string;
  /** Taken in turn by all connections. */
  requests: { method: "GET" | "POST"; path: string; headers: Record<string, string>; body: string | null }[];
  connections: number;
  /** Ends after so many requests or so many milliseconds, whatever comes first. */
  count: number;
  durationMs: number;
}

export interface LoadReport {
  count: number;
  perSecond: number;
  p50Ms: number;
  p90Ms: number;
  p99Ms: number;
  /** How many answers had which status; 0 for those that failed without one. */
  statuses: Record<string, number>;
}

const face = {
  async run(order: LoadOrder): Promise<LoadReport> {
    const clients = Array.from({ length: order.connections }, () => new Client(order.url, { pipelining: 1 }));
    const times: number[] = [];
    const statuses: Record<string, number> = {};
    const startedAt = nowMs();
    let next = 0;
    const isOver = () => next >= order.count || nowMs() - startedAt >= order.durationMs;
    await Promise.all(
      clients.map(async (client) => {
        while (!isOver()) {
          const request = order.requests[next % order.requests.length];
          next += 1;
          if (request === undefined) return;
          const sentAt = nowMs();
          const status = await send(client, request);
          times.push(nowMs() - sentAt);
          statuses[status] = (statuses[status] ?? 0) + 1;
        }
      }),
    );
    const seconds = (nowMs() - startedAt) / 1_000;
    await Promise.all(clients.map((client) => client.destroy()));
    return {
      count: times.length,
      perSecond: times.length / seconds,
      p50Ms: percentile(times, 0.5),
      p90Ms: percentile(times, 0.9),
      p99Ms: percentile(times, 0.99),
      statuses,
    };
  },
};

export type Load = typeof face;
serveHelper(face);

/** The cheapest way that undici has: no body stream, no header objects. @returns the status when the answer has ended. */
function send(client: Client, request: LoadOrder["requests"][number]): Promise<number> {
  return new Promise((resolve) => {
    let status = 0;
    client.dispatch(request, {
      onRequestStart: () => {},
      onResponseStart: (_controller, code) => {
        status = code;
      },
      onResponseEnd: () => resolve(status),
      onResponseError: () => resolve(0),
    });
  });
}
