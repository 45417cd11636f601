/** The first words of a message wait for nothing; what comes beside them and after them is gathered. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { drawOwnerKey, IdMaker } from "#protocol/ids.ts";
import { RUNNER_PROTOCOL, type RunnerToRun } from "#protocol/runner-link.ts";
import { RunLink } from "#sandbox-runner/link/run-link.ts";
import { runOrder } from "./support/run-order.ts";

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);
const ids = new IdMaker(drawOwnerKey(random), random);

it("sends the first piece of each message at once, and later ones together", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const order = runOrder(ids, "none", []);
  const connected = once(server, "connection");
  const welcomed = Promise.withResolvers<void>();
  const link = new RunLink({
    instanceUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    runId: order.run_id,
    linkToken: "token",
    runner: { kind: "local", id: "runner" },
    boot: "boot-of-it",
    onOrder: () => welcomed.resolve(),
    onAnswer: () => {},
    onFeatures: () => {},
    onSaid: () => {},
    onClose: () => {},
    onPark: () => {},
    onCancel: () => {},
    onEnded: () => {},
    onDown: () => {},
  });
  const [socket] = (await connected) as [WebSocket];
  const said: RunnerToRun[] = [];
  socket.on("message", (data) => said.push(JSON.parse(String(data))));
  const heard = async (isEnough: () => boolean) => {
    while (!isEnough()) await once(socket, "message");
  };
  onTestFinished(async () => {
    vi.useRealTimers();
    socket.terminate();
    await link.close();
    server.close();
  });
  socket.send(JSON.stringify({ type: "welcome", protocol: RUNNER_PROTOCOL, ack: 0, order, features: [] }));
  await welcomed.promise;
  // What is gathered stays where it is.
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const now = vi.spyOn(performance, "now").mockReturnValue(performance.now());
  onTestFinished(() => now.mockRestore());
  const speak = (message_id: string, text: string) =>
    link.sendDelta({ type: "agent.delta", message_id, kind: "text", text });
  const words = () => said.flatMap((one) => (one.type === "delta" ? [one.delta.text] : []));
  link.send({ kind: "running", sandbox: "none" });
  await heard(() => said.some(({ type }) => type === "frames"));
  link.send({ kind: "idle" });
  speak("one", "Hello");
  await heard(() => words().length === 1);
  speak("one", ", I am");
  speak("one", " at work.");
  speak("two", "Next");
  await heard(() => words().length === 3);
  expect(words()).toEqual(["Hello", ", I am at work.", "Next"]);
  speak("two", " is more.");
  vi.advanceTimersByTime(30);
  await heard(() => words().length === 4);
  expect(said.filter(({ type }) => type === "frames")).toHaveLength(2);
});
