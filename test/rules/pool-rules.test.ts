/** Which host gets a lease, and which options of the link are in force. */
import { expect, it } from "vitest";
import { chooseHost } from "#rules/pool/choose-host.ts";
import { featuresInForce } from "#rules/pool/features-in-force.ts";

it.each<[string, Record<string, string | null>, string | null]>([
  ["there is no host", {}, null],
  ["the only host has no room", { runners: null }, null],
  ["the only host has room", { runners: "alice" }, "runners alice"],
  ["all have room", { runners: "alice", made: "new-1" }, "runners alice"],
  ["the preferred one is full", { runners: null, made: "new-1" }, "made new-1"],
  ["the preferred one alone has room", { runners: "alice", made: null }, "runners alice"],
  ["all are full", { runners: null, made: null }, null],
  ["the last of three has room", { runners: null, made: null, far: "x" }, "far x"],
])("when %s", (_sentence, rooms, expected) => {
  const chosen = chooseHost(Object.entries(rooms).map(([host, place]) => ({ host, place })));
  expect(chosen === null ? null : `${chosen.host} ${chosen.place}`).toBe(expected);
});

it.each<[string[], string[], string[]]>([
  [[], [], []],
  [[], ["messages"], []],
  [["messages"], [], []],
  [["messages"], ["messages"], ["messages"]],
  [["tomorrow", "messages"], ["messages", "resume"], ["messages"]],
  [
    ["resume", "messages"],
    ["messages", "resume"],
    ["messages", "resume"],
  ],
  [["messages", "messages"], ["messages"], ["messages"]],
  [["Messages"], ["messages"], []],
])("of a runner that knows %j and a pool that knows %j, %j are in force", (told, known, inForce) => {
  expect(featuresInForce(told, known)).toEqual(inForce);
});
