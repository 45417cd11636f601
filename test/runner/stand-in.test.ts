/** A prepared agent's stand-in is worth something to its own run's model, at its own relay, while the run is on. */
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Relay, startRelay } from "#sandbox-runner/sandbox/relay.ts";
import { StandIn } from "#sandbox-runner/sandbox/stand-in.ts";

const RUN = { id: "run_1", token: "canary-of-the-run" };
const SCOPE = { runId: RUN.id, repositories: 1 };
const OTHER = { id: "run_2", token: "canary-of-the-other" };

let closers: (() => Promise<void>)[] = [];
/** What the instance was asked: the path and the credentials of each request. */
let asked: string[] = [];
let relay: Relay;
let standIn: StandIn;

beforeEach(async () => {
  asked = [];
  relay = await relayOf();
  standIn = new StandIn();
  relay.accept(standIn);
});
afterEach(async () => {
  await Promise.all(closers.map((close) => close()));
  closers = [];
});

async function relayOf(): Promise<Relay> {
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    response.end();
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const made = await startRelay({ instanceUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  closers.push(
    () => made.close(),
    () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  );
  return made;
}

/** A raw request. @returns its status. */
async function post(at: Relay, target: string, headers: readonly string[]): Promise<number> {
  const socket = connect(at.port, "127.0.0.1");
  const lines = [`POST ${target} HTTP/1.1`, "Host: x", "Connection: close", "Content-Length: 0", ...headers];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return Number((await text(socket)).split(" ")[1]);
}

const bearer = (token: string) => `Authorization: Bearer ${token}`;
const model = (id: string) => `/proxy/${id}/model/v1/messages?beta=true`;

describe("a program that practises", () => {
  it("is answered by its relay, in a stream of the model that it asks, and nobody else is asked", async () => {
    standIn.practise("claude-sonnet-5");
    const answer = await fetch(`${relay.url}${model(standIn.id)}`, {
      method: "POST",
      headers: { authorization: `Bearer ${standIn.token}` },
      body: "{}",
    });
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    const events = (await answer.text()).split("\n\n").flatMap((one) => one.split("data: ")[1] ?? []);
    expect(events.map((event) => JSON.parse(event).type)).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(JSON.parse(events[0] ?? "").message).toMatchObject({
      model: "claude-sonnet-5",
      usage: { input_tokens: 0, output_tokens: 0 },
    });
    expect(asked).toEqual([]);
  });

  it.each<[string, (one: StandIn) => [target: string, headers: string[]]]>([
    ["another token", (one) => [model(one.id), [bearer(`${one.token}0`)]]],
    ["no token", (one) => [model(one.id), []]],
    ["another place", (one) => [model(new StandIn().id), [bearer(one.token)]]],
    ["the tokens' count", (one) => [model(one.id).replace("messages", "messages/count_tokens"), [bearer(one.token)]]],
    ["git", (one) => [`/proxy/${one.id}/git/0/git-receive-pack`, [bearer(one.token)]]],
    ["another host", (one) => [`http://other.example${model(one.id)}`, [bearer(one.token)]]],
  ])("is not answered with %s", async (_what, attack) => {
    standIn.practise("claude-sonnet-5");
    const [target, headers] = attack(standIn);
    expect(await post(relay, target, headers)).toBe(403);
    expect(asked).toEqual([]);
  });

  it("is answered so no more when it has practised, when there is a run, or when its relay serves one", async () => {
    standIn.practise("claude-sonnet-5");
    standIn.practise(null);
    expect(await post(relay, model(standIn.id), [bearer(standIn.token)])).toBe(403);
    standIn.practise("claude-sonnet-5");
    standIn.lend(RUN);
    expect(await post(relay, model(standIn.id), [bearer(standIn.token)])).toBe(403);
    relay.serve(SCOPE);
    expect(await post(relay, model(standIn.id), [bearer(standIn.token)])).toBe(200);
    expect(asked).toEqual([`${model(RUN.id)} Bearer ${RUN.token}`]);
  });
});

describe("a program that is at its run's task before the run has it", () => {
  it("is answered when it has been given to the run, and then by the run's model", async () => {
    relay.serve(SCOPE);
    standIn.hold();
    let isAnswered = false;
    const answered = post(relay, model(standIn.id), [bearer(standIn.token)]).finally(() => {
      isAnswered = true;
    });
    // What has no part in it does not wait.
    expect(await post(relay, model(OTHER.id), [bearer(standIn.token)])).toBe(403);
    expect([isAnswered, asked]).toEqual([false, []]);
    standIn.lend(RUN);
    expect(await answered).toBe(200);
    expect(asked).toEqual([`${model(RUN.id)} Bearer ${RUN.token}`]);
  });

  it("is not answered where the run never gets it", async () => {
    relay.serve(SCOPE);
    standIn.hold();
    const answered = post(relay, model(standIn.id), [bearer(standIn.token)]).catch(() => null);
    expect(await post(relay, model(OTHER.id), [bearer(standIn.token)])).toBe(403);
    await relay.close();
    expect(await answered).not.toBe(200);
    expect(asked).toEqual([]);
  });

  // Of a large one the relay does not see that whoever has asked is gone: it has not read it yet.
  it.each([2, 200_000])("asks nothing with %i bytes when another program has the stand-in after it", async (size) => {
    relay.serve(SCOPE);
    standIn.hold();
    const program = connect(relay.port, "127.0.0.1").on("error", () => {});
    const lines = [`POST ${model(standIn.id)} HTTP/1.1`, "Host: x", `Content-Length: ${size}`, bearer(standIn.token)];
    program.write(`${lines.join("\r\n")}\r\n\r\n${"x".repeat(size)}`);
    // By then the relay has the other as well.
    expect(await post(relay, model(OTHER.id), [bearer(standIn.token)])).toBe(403);
    program.destroy();
    standIn.drop();
    standIn.lend(RUN);
    expect(await post(relay, model(standIn.id), [bearer(standIn.token)])).toBe(200);
    expect(asked).toEqual([`${model(RUN.id)} Bearer ${RUN.token}`]);
  });
});

describe("a stand-in", () => {
  it("stands for nothing before there is a run, and for nothing before it is lent to that", async () => {
    expect(await post(relay, model(standIn.id), [bearer(standIn.token)])).toBe(403);
    relay.serve(SCOPE);
    expect(await post(relay, model(standIn.id), [bearer(standIn.token)])).toBe(403);
    expect(asked).toEqual([]);
  });

  it("that is lent to a run which its relay does not serve yet stands for nothing", async () => {
    standIn.lend(RUN);
    expect(await post(relay, model(standIn.id), [bearer(standIn.token)])).toBe(403);
  });

  it("stands for the run's token at its model, and stays with that run", async () => {
    relay.serve(SCOPE);
    standIn.lend(RUN);
    standIn.lend(OTHER);
    expect(await post(relay, model(standIn.id), [bearer(standIn.token)])).toBe(200);
    expect(asked).toEqual([`${model(RUN.id)} Bearer ${RUN.token}`]);
  });

  it.each<[string, (one: StandIn) => [target: string, headers: string[]]]>([
    ["another token", (one) => [model(one.id), [bearer(`${one.token}0`)]]],
    ["no token", (one) => [model(one.id), []]],
    ["the token as a key", (one) => [model(one.id), [`X-Api-Key: ${one.token}`]]],
    ["two tokens", (one) => [model(one.id), [bearer(one.token), bearer(one.token)]]],
    ["the token and another", (one) => [model(one.id), [bearer(one.token), bearer("x")]]],
    ["another scheme", (one) => [model(one.id), [`Authorization: Basic ${one.token}`]]],
    ["another place", (one) => [model(new StandIn().id), [bearer(one.token)]]],
    ["another place's token", (one) => [model(one.id), [bearer(new StandIn().token)]]],
    ["a run that it is not", (one) => [model(OTHER.id), [bearer(one.token)]]],
    ["git", (one) => [`/proxy/${one.id}/git/0/git-receive-pack`, [bearer(one.token)]]],
    ["a signature", (one) => [`/proxy/${one.id}/sign`, [bearer(one.token)]]],
    ["a connector", (one) => [`/proxy/${one.id}/mcp/linear`, [bearer(one.token)]]],
    ["GitHub", (one) => [`/proxy/${one.id}/gh/user`, [bearer(one.token)]]],
    ["git by way of the model", (one) => [`/proxy/${one.id}/model/../git/0/git-receive-pack`, [bearer(one.token)]]],
    ["the same, encoded", (one) => [`/proxy/${one.id}/model/%2e%2e/sign`, [bearer(one.token)]]],
    ["what the model has not", (one) => [`/proxy/${one.id}/model/v1/files`, [bearer(one.token)]]],
    ["another host", (one) => [`http://other.example${model(one.id)}`, [bearer(one.token)]]],
    ["a path with more before it", (one) => [`/x${model(one.id)}`, [bearer(one.token)]]],
  ])("is of no use for %s", async (_what, attack) => {
    relay.serve(SCOPE);
    standIn.lend(RUN);
    const [target, headers] = attack(standIn);
    expect(await post(relay, target, headers)).toBe(403);
    expect(asked).toEqual([]);
  });

  it("is never asked of the instance as it is: with the run's own path it goes on and is refused there", async () => {
    relay.serve(SCOPE);
    standIn.lend(RUN);
    expect(await post(relay, model(RUN.id), [bearer(standIn.token)])).toBe(200);
    expect(asked).toEqual([`${model(RUN.id)} Bearer ${standIn.token}`]);
  });

  it("of one place is of no use at another's relay", async () => {
    const neighbour = await relayOf();
    const own = new StandIn();
    neighbour.accept(own);
    neighbour.serve({ ...SCOPE, runId: OTHER.id });
    own.lend(OTHER);
    relay.serve(SCOPE);
    standIn.lend(RUN);
    expect(await post(neighbour, model(standIn.id), [bearer(standIn.token)])).toBe(403);
    expect(await post(neighbour, model(own.id), [bearer(standIn.token)])).toBe(403);
    expect(asked).toEqual([]);
  });

  it("lets nothing through when the run is over", async () => {
    relay.serve(SCOPE);
    standIn.lend(RUN);
    await relay.close();
    await expect(post(relay, model(standIn.id), [bearer(standIn.token)])).rejects.toThrow();
  });
});
