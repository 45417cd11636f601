/** The life of a viewer's socket. */
import { describe, expect, it } from "vitest";
import { backoffMs } from "#web/src/session/backoff.ts";
import { acksOf, openConnection, say, sayCaughtUp } from "./session-doors.ts";
import { messages } from "./session-events.ts";

const events = (from: number, count: number) => ({ type: "events", events: messages(from, count) });

describe("a connection", () => {
  it("asks for a ticket, opens after what the reader has, and is live when all has come", async () => {
    const { start, heard } = openConnection(40);
    const socket = await start();
    expect([socket.after, socket.ticket]).toEqual([40, "ticket 1"]);
    say(socket, events(41, 3));
    say(socket, messages(44, 1)[0]);
    expect(heard.states).toEqual(["connecting"]);
    sayCaughtUp(socket, 44);
    expect(heard).toMatchObject({ states: ["connecting", "live"], seqs: [41, 42, 43, 44], caughtUp: [44] });
  });

  it("hands on deltas, and does nothing about what it does not know", async () => {
    const { start, heard } = openConnection();
    const socket = await start();
    sayCaughtUp(socket, 0);
    say(socket, { type: "agent.delta", message_id: "a", kind: "text", text: "Hi" });
    say(socket, { type: "rejected", id: "1", code: "x", message: "no" });
    expect(heard).toMatchObject({ deltas: [{ text: "Hi" }], seqs: [], states: ["connecting", "live"] });
  });

  it("drops what it has had already", async () => {
    const { start, heard } = openConnection(2);
    const socket = await start();
    say(socket, events(1, 4));
    say(socket, events(3, 3));
    expect(heard.seqs).toEqual([3, 4, 5]);
  });

  it("opens anew after the last good event when one is missing", async () => {
    const { start, heard, pass, last } = openConnection();
    const socket = await start();
    say(socket, events(1, 2));
    say(socket, events(4, 2));
    expect([heard.seqs, socket.closedWith]).toEqual([[1, 2], 1000]);
    await pass(250);
    expect(last().after).toBe(2);
    say(last(), events(3, 3));
    expect(heard.seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it("takes the beginning of a message with a gap in it", async () => {
    const { start, heard, pass, last } = openConnection();
    say(await start(), { type: "events", events: [...messages(1, 2), ...messages(5, 1)] });
    await pass(250);
    expect([heard.seqs, last().after]).toEqual([[1, 2], 2]);
  });

  it.each(["{", "null", '"text"', "7"])("opens anew after %s, which is no message", async (text) => {
    const { start, sockets, pass } = openConnection();
    (await start()).message(text);
    await pass(250);
    expect(sockets).toHaveLength(2);
  });

  it("says nothing of a socket that it has left", async () => {
    const { start, heard, pass } = openConnection();
    const old = await start();
    old.closed(1006);
    await pass(250);
    say(old, events(1, 2));
    old.closed(4404);
    expect([heard.seqs, heard.states]).toEqual([[], ["connecting"]]);
  });
});

describe("acknowledgements", () => {
  it("come when everything is here", async () => {
    const { start } = openConnection(7);
    const socket = await start();
    say(socket, events(8, 3));
    expect(acksOf(socket)).toEqual([]);
    sayCaughtUp(socket, 10);
    expect(acksOf(socket)).toEqual([10]);
  });

  it("come two seconds after the first event that has none, and then not until the next", async () => {
    const { start, pass } = openConnection();
    const socket = await start();
    sayCaughtUp(socket, 0);
    say(socket, events(1, 1));
    await pass(1_900);
    say(socket, events(2, 1));
    await pass(99);
    expect(acksOf(socket)).toEqual([0]);
    await pass(1);
    expect(acksOf(socket)).toEqual([0, 2]);
    await pass(5_000);
    expect(acksOf(socket)).toEqual([0, 2]);
  });

  it("come at once with 256 events", async () => {
    const { start, pass } = openConnection();
    const socket = await start();
    say(socket, events(1, 100));
    say(socket, events(101, 155));
    expect(acksOf(socket)).toEqual([]);
    say(socket, events(256, 1));
    expect(acksOf(socket)).toEqual([256]);
    await pass(2_000);
    expect(acksOf(socket)).toEqual([256]);
  });

  it("come at once with 256 KiB", async () => {
    const { start } = openConnection();
    const socket = await start();
    const [event] = messages(1, 1);
    say(socket, { ...event, text: "x".repeat(262_144) });
    expect(acksOf(socket)).toEqual([1]);
  });
});

describe("a connection that is dead", () => {
  it("is found out by a ping that nothing answers", async () => {
    const { start, heard, pass, sockets } = openConnection();
    const socket = await start();
    sayCaughtUp(socket, 0);
    await pass(19_999);
    expect(socket.sent).not.toContain("ping");
    await pass(1);
    expect(socket.sent).toContain("ping");
    await pass(9_999);
    expect(heard.states).toEqual(["connecting", "live"]);
    await pass(1);
    expect([socket.closedWith, heard.interrupted]).toEqual([1000, 1]);
    await pass(250);
    expect(sockets).toHaveLength(2);
  });

  it.each([
    ["a pong", "pong"],
    ["anything else", JSON.stringify(messages(1, 1)[0])],
  ])("is not one that answers with %s", async (_name, text) => {
    const { start, heard, pass, sockets } = openConnection();
    const socket = await start();
    sayCaughtUp(socket, 0);
    for (let minute = 0; minute < 3; minute += 1) {
      await pass(20_000);
      socket.message(text);
    }
    expect([sockets.length, heard.states]).toEqual([1, ["connecting", "live"]]);
  });

  it("is given up when it does not catch up in time", async () => {
    const { start, pass, sockets } = openConnection();
    await start();
    await pass(15_250);
    expect(sockets).toHaveLength(2);
  });
});

describe("the end of a socket", () => {
  it.each([
    ["nothing at all", 1005],
    ["a broken line", 1006],
    ["a restart", 1012],
    ["a slow viewer", 4408],
    ["a ticket that is used or too old", 4401],
  ])("with the code of %s is followed by a new ticket and socket", async (_name, code) => {
    const { start, heard, pass, last } = openConnection();
    const socket = await start();
    say(socket, events(1, 5));
    sayCaughtUp(socket, 5);
    socket.closed(code);
    expect(heard.states).toEqual(["connecting", "live", "connecting"]);
    await pass(250);
    expect([last().after, last().ticket]).toEqual([5, "ticket 2"]);
    sayCaughtUp(last(), 5);
    expect(heard.states.at(-1)).toBe("live");
  });

  it.each([
    [4404, "gone"],
    [1008, "refused"],
  ] as const)("with %i is final: %s", async (code, state) => {
    const { start, heard, pass, sockets, timers, connection } = openConnection();
    (await start()).closed(code);
    await pass(60_000);
    connection.wake();
    connection.networkLost();
    await pass(60_000);
    expect([heard.states, sockets.length, timers.size]).toEqual([["connecting", state], 1, 0]);
  });

  it.each(["gone", "signed-out"] as const)("is as final when no ticket is given: %s", async (refused) => {
    const { connection, tickets, heard, pass, sockets } = openConnection();
    tickets.push({ refused });
    connection.start();
    await pass(60_000);
    expect([heard.states, sockets.length]).toEqual([["connecting", refused], 0]);
  });
});

describe("attempts", () => {
  it("are further and further apart, up to five seconds, and say that the reader is offline", async () => {
    const { connection, tickets, heard, world, pass } = openConnection();
    tickets.push(...Array.from({ length: 20 }, () => ({ failed: true }) as const));
    connection.start();
    const waits = [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000];
    for (const [index, wait] of waits.entries()) {
      await pass(wait - 1);
      expect(world.asked).toBe(index + 1);
      await pass(1);
      expect(world.asked).toBe(index + 2);
    }
    expect(heard.states).toEqual(["connecting", "offline"]);
  });

  it.each([
    [1, 0, 250],
    [1, 1, 250],
    [3, 0, 500],
    [3, 0.5, 750],
    [3, 1, 1_000],
    [9, 0, 2_500],
    [9, 1, 5_000],
    [2_000, 1, 5_000],
  ])("after failure %i and with the chance %d wait %i ms", (failures, random, ms) => {
    expect(backoffMs(failures, random)).toBe(ms);
  });

  it("begin anew with short waits after a connection that has held", async () => {
    const { start, pass, last, world } = openConnection();
    (await start()).closed(1006);
    await pass(250);
    last().closed(1006);
    await pass(500);
    sayCaughtUp(last(), 0);
    await pass(5_000);
    last().closed(1006);
    await pass(250);
    expect(world.asked).toBe(4);
  });

  it("go on with long waits after one that broke at once", async () => {
    const { start, pass, last, world } = openConnection();
    (await start()).closed(1006);
    await pass(250);
    sayCaughtUp(last(), 0);
    last().closed(1006);
    await pass(499);
    expect(world.asked).toBe(2);
  });
});

describe("the browser's word", () => {
  it("that the network is gone is tried, and believed when nothing answers", async () => {
    const { start, heard, pass, connection } = openConnection();
    const socket = await start();
    sayCaughtUp(socket, 0);
    connection.networkLost();
    expect([heard.states.at(-1), socket.sent.at(-1)]).toEqual(["offline", "ping"]);
    await pass(2_000);
    expect([heard.states, socket.closedWith]).toEqual([["connecting", "live", "offline"], 1000]);
  });

  it("that the network is gone is not believed of an instance that answers", async () => {
    const { start, heard, pass, connection, sockets } = openConnection();
    const socket = await start();
    sayCaughtUp(socket, 0);
    connection.networkLost();
    socket.message("pong");
    await pass(5_000);
    expect([heard.states.at(-1), sockets.length]).toEqual(["live", 1]);
  });

  it("that the network is back ends the waiting", async () => {
    const { start, pass, connection, tickets, world, last, heard } = openConnection(3);
    tickets.push({ ticket: "first" }, ...Array.from({ length: 4 }, () => ({ failed: true }) as const));
    (await start()).closed(1006);
    await pass(250 + 500 + 1_000 + 2_000);
    expect([world.asked, heard.states.at(-1)]).toEqual([5, "offline"]);
    connection.wake();
    await pass(0);
    expect(last().after).toBe(3);
    sayCaughtUp(last(), 3);
    expect(heard.states.at(-1)).toBe("live");
  });

  it("makes a connection that may have died while nobody looked prove itself", async () => {
    const { start, pass, connection, sockets } = openConnection();
    const socket = await start();
    sayCaughtUp(socket, 0);
    connection.wake();
    expect(socket.sent.at(-1)).toBe("ping");
    await pass(2_250);
    expect(sockets).toHaveLength(2);
  });
});

describe("a connection that is let go", () => {
  it("is closed, and leaves nothing behind", async () => {
    const { start, heard, pass, connection, timers, sockets } = openConnection();
    const socket = await start();
    say(socket, events(1, 1));
    sayCaughtUp(socket, 1);
    connection.stop();
    connection.wake();
    await pass(60_000);
    expect([socket.closedWith, timers.size, sockets.length, heard.states.at(-1)]).toEqual([1000, 0, 1, "live"]);
  });

  it("before its ticket came opens no socket", async () => {
    const { connection, pass, sockets } = openConnection();
    connection.start();
    connection.stop();
    await pass(60_000);
    expect(sockets).toEqual([]);
  });

  it("at the end of all runs says so, and can be taken up again", async () => {
    const { start, heard, connection, pass, last } = openConnection();
    const socket = await start();
    say(socket, events(1, 2));
    sayCaughtUp(socket, 2);
    connection.end();
    expect([socket.closedWith, heard.states.at(-1)]).toEqual([1000, "ended"]);
    connection.start();
    await pass(0);
    expect(last().after).toBe(2);
  });
});
