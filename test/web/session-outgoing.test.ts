/** What a person says on its way to the session: said once, whatever is lost, and never forgotten. */
import { describe, expect, it } from "vitest";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import {
  Outgoing,
  type OutgoingMessage,
  type OutgoingWays,
  type PostAnswer,
} from "#web/src/session/composer/outgoing.ts";
import type { Said } from "#web/src/session/live-connection.ts";
import { eventOf, finished } from "./session-events.ts";

function open({ isLive, kept = [] }: { isLive: boolean; kept?: OutgoingMessage[] }) {
  const world = { isLive, stored: 0, keeps: [] as readonly OutgoingMessage[] };
  const socket: Said[] = [];
  const posts: { said: Said; answer: (answer: PostAnswer) => void }[] = [];
  const timers = new Set<() => void>();
  const ways: OutgoingWays = {
    say: (said) => {
      if (world.isLive) socket.push(said);
      return world.isLive;
    },
    post: (said) => new Promise((answer) => posts.push({ said, answer })),
    keep: (messages) => {
      world.keeps = messages;
    },
    stored: () => {
      world.stored += 1;
    },
    newId: () => `id-${socket.length + posts.length}`,
    random: () => 1,
    setTimer: (callback) => {
      timers.add(callback);
      return () => timers.delete(callback);
    },
  };
  const outgoing = new Outgoing(ways, kept);
  const pass = async () => {
    for (const callback of [...timers]) {
      timers.delete(callback);
      callback();
    }
    await settle();
  };
  const states = () => outgoing.view().messages.map(({ id, state, why }) => [id, state, why]);
  return { outgoing, world, socket, posts, timers, pass, states };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

function told(messageId: string): TranscriptEvent {
  return eventOf({ type: "user.message", source: "person", message_id: messageId, text: "Hello" }, 9);
}

describe("a message", () => {
  it("goes over the live connection, is accepted, and is gone when the transcript has it", () => {
    const { outgoing, world, socket, posts, timers, states } = open({ isLive: true });
    outgoing.send("Hello", 4);
    expect(socket).toEqual([{ type: "message", id: "id-0", text: "Hello" }]);
    expect(states()).toEqual([["id-0", "sending", null]]);
    outgoing.answered({ type: "accepted", id: "id-0" });
    expect(states()).toEqual([["id-0", "accepted", null]]);
    expect([world.stored, posts.length, timers.size]).toEqual([1, 0, 0]);
    outgoing.seen([told("id-0")]);
    expect([states(), world.keeps]).toEqual([[], []]);
  });

  it("that the live connection does not answer is posted under the same id, and its late answer changes nothing", async () => {
    const { outgoing, posts, pass, states } = open({ isLive: true });
    outgoing.send("Hello", 0);
    await pass();
    expect(posts.map(({ said }) => said)).toEqual([{ type: "message", id: "id-0", text: "Hello" }]);
    outgoing.answered({ type: "accepted", id: "id-0" });
    posts[0]?.answer({ refused: "No." });
    await settle();
    expect(states()).toEqual([["id-0", "accepted", null]]);
  });

  it("that does not get through is said again until it does", async () => {
    const { outgoing, world, socket, posts, pass, states } = open({ isLive: false });
    outgoing.send("Hello", 0);
    posts[0]?.answer({ failed: true });
    await settle();
    expect(states()).toEqual([["id-0", "sending", null]]);
    await pass();
    expect(posts.length).toBe(2);
    world.isLive = true;
    outgoing.wake();
    expect(socket).toEqual([{ type: "message", id: "id-0", text: "Hello" }]);
  });

  it("that is refused says why, and gives its text back", () => {
    const { outgoing, states } = open({ isLive: true });
    outgoing.send("Hello", 0);
    outgoing.answered({ type: "rejected", id: "id-0", code: "messages_full", message: "Too many." });
    expect(states()).toEqual([["id-0", "refused", "Too many."]]);
    expect(outgoing.takeBack("id-0")).toBe("Hello");
    expect(states()).toEqual([]);
  });

  it("that was kept from an earlier visit is said again when the connection is live", () => {
    const kept: OutgoingMessage[] = [
      { id: "old", text: "Hello", after: 1, state: "sending", why: null },
      { id: "had", text: "Taken in", after: 1, state: "accepted", why: null },
    ];
    const { outgoing, socket, states } = open({ isLive: true, kept });
    outgoing.wake();
    expect(socket).toEqual([{ type: "message", id: "old", text: "Hello" }]);
    outgoing.allIsTold();
    expect(states()).toEqual([["old", "sending", null]]);
  });
});

describe("an interrupt", () => {
  it("is stopping until the transcript says that all has stopped, and is said once", () => {
    const { outgoing, socket } = open({ isLive: true });
    outgoing.interrupt();
    outgoing.interrupt();
    expect(socket).toEqual([{ type: "interrupt", id: "id-0" }]);
    outgoing.answered({ type: "accepted", id: "id-0" });
    expect(outgoing.view().isStopping).toBe(true);
    outgoing.seen([eventOf({ type: "run.interrupted", by: { kind: "owner", id: null, name: "Owner" } }, 9)]);
    expect(outgoing.view().isStopping).toBe(false);
  });

  it("that is refused says why until the turn has ended", () => {
    const { outgoing } = open({ isLive: true });
    outgoing.interrupt();
    outgoing.answered({ type: "rejected", id: "id-0", code: "nothing_to_interrupt", message: "No turn is on." });
    expect(outgoing.view()).toMatchObject({ isStopping: false, interruptRefusal: "No turn is on." });
    outgoing.seen([eventOf(finished, 9)]);
    expect(outgoing.view().interruptRefusal).toBeNull();
  });
});
