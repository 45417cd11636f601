/** How long the agent's program is kept, as a table over what it says. Times are milliseconds from the beginning. */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it } from "vitest";
import { AgentLife } from "#sandbox-runner/agent/agent-end.ts";

type Word =
  | "init"
  | "running"
  | "idle"
  | "result"
  | "queued result"
  | "error result"
  | "report"
  | "told"
  | "words"
  | "subagent's words"
  | { tasks: string[] }
  | { ambient: string[] };

const system = (subtype: string, more: object = {}) => ({ type: "system", subtype, ...more });
const tasksChanged = (names: string[], more: object = {}) =>
  system("background_tasks_changed", {
    tasks: names.map((name) => ({ task_id: name, task_type: "local_bash", description: name, ...more })),
  });

function messageOf(word: Exclude<Word, "report" | "told">): SDKMessage {
  const messages: Record<Exclude<Word, object | "report" | "told">, object> = {
    init: system("init"),
    running: system("session_state_changed", { state: "running" }),
    idle: system("session_state_changed", { state: "idle" }),
    result: { type: "result", subtype: "success", is_error: false, queued_turn_count: 0 },
    "queued result": { type: "result", subtype: "success", is_error: false, queued_turn_count: 1 },
    "error result": { type: "result", subtype: "error_max_turns", is_error: true },
    words: { type: "stream_event", parent_tool_use_id: null },
    "subagent's words": { type: "stream_event", parent_tool_use_id: "toolu_1" },
  };
  if (typeof word === "string") return messages[word] as SDKMessage;
  return ("tasks" in word ? tasksChanged(word.tasks) : tasksChanged(word.ambient, { ambient: true })) as SDKMessage;
}

/** What comes at which time, and when the program is to be ended then. A wait lasts 60 s, and none goes beyond 500 s. */
const table: [name: string, heard: [at: number, word: Word][], endsAt: number | null][] = [
  [
    "nothing has ended",
    [
      [0, "running"],
      [1, "init"],
    ],
    null,
  ],
  [
    "a quiet end",
    [
      [0, "running"],
      [9, "result"],
      [10, "idle"],
    ],
    10,
  ],
  [
    "an end that nobody calls quiet",
    [
      [0, "init"],
      [9, "result"],
    ],
    5_009,
  ],
  [
    "a turn that waits already",
    [
      [0, "init"],
      [9, "queued result"],
      [10, "idle"],
    ],
    null,
  ],
  [
    "an error, whatever lives",
    [
      [0, { tasks: ["a"] }],
      [9, "error result"],
    ],
    9,
  ],
  [
    "a command that lives",
    [
      [0, { tasks: ["a"] }],
      [9, "result"],
      [10, "idle"],
    ],
    60_010,
  ],
  [
    "a command that lives, late",
    [
      [0, { tasks: ["a"] }],
      [480_000, "result"],
      [480_010, "idle"],
    ],
    500_000,
  ],
  [
    "a command that lives, beyond the last wait",
    [
      [0, { tasks: ["a"] }],
      [500_009, "result"],
      [500_010, "idle"],
    ],
    500_010,
  ],
  [
    "what is no activity",
    [
      [0, { ambient: ["watcher"] }],
      [9, "result"],
      [10, "idle"],
    ],
    10,
  ],
  [
    "a subagent that works",
    [
      [0, { tasks: ["a"] }],
      [9, "result"],
      [10, "idle"],
      [30_000, "subagent's words"],
    ],
    90_000,
  ],
  [
    "a command that ended in the turn",
    [
      [0, { tasks: ["a"] }],
      [5, { tasks: [] }],
      [9, "result"],
    ],
    5_009,
  ],
  [
    "the turn that it wakes",
    [
      [0, { tasks: ["a"] }],
      [5, { tasks: [] }],
      [9, "result"],
      [12, "init"],
    ],
    null,
  ],
  [
    "a command that ended afterwards",
    [
      [0, { tasks: ["a"] }],
      [9, "result"],
      [10, "idle"],
      [800, { tasks: [] }],
    ],
    5_800,
  ],
  [
    "one of two that ended",
    [
      [0, { tasks: ["a", "b"] }],
      [9, "result"],
      [10, "idle"],
      [800, { tasks: ["b"] }],
    ],
    60_800,
  ],
  [
    "a report, and nothing that lives",
    [
      [0, "init"],
      [5, "report"],
      [9, "result"],
      [10, "idle"],
    ],
    10,
  ],
  [
    "a report, and its turn still on",
    [
      [0, { tasks: ["a"] }],
      [5, "report"],
    ],
    null,
  ],
  [
    "a report, and a command that lives",
    [
      [0, { tasks: ["a"] }],
      [5, "report"],
      [9, "result"],
      [10, "idle"],
    ],
    3_009,
  ],
  [
    "a report, and a subagent that works",
    [
      [0, { tasks: ["a"] }],
      [5, "report"],
      [9, "result"],
      [2_000, "subagent's words"],
    ],
    5_009,
  ],
  [
    "a monitor that goes on waking a reported agent",
    [
      [0, { tasks: ["a"] }],
      [5, "report"],
      [9, "result"],
      [10, "idle"],
      [2_000, "running"],
      [2_900, "result"],
      [4_000, "idle"],
    ],
    4_000,
  ],
  [
    "a turn of a reported agent at the end of its grace",
    [
      [0, { tasks: ["a"] }],
      [5, "report"],
      [9, "result"],
      [10, "idle"],
      [2_000, "running"],
    ],
    null,
  ],
  [
    "a report in a turn that a command has woken",
    [
      [0, { tasks: ["a", "b"] }],
      [9, "result"],
      [10, "idle"],
      [70, { tasks: ["b"] }],
      [71, "words"],
      [80, "report"],
      [90, "result"],
      [91, "idle"],
    ],
    3_090,
  ],
  [
    "a command for which an agent waits that was told more after its report",
    [
      [0, "report"],
      [5, "result"],
      [6, "told"],
      [10, { tasks: ["a"] }],
      [20, "result"],
      [21, "idle"],
    ],
    60_021,
  ],
];

describe("the agent's program is kept", () => {
  it.each(table)("%s", (_name, heard, endsAt) => {
    const life = new AgentLife({ backgroundWaitMs: 60_000, lastWaitMs: 500_000 });
    for (const [at, word] of heard) {
      if (word === "report") life.report();
      else if (word === "told") life.told();
      else life.read(messageOf(word), at);
    }
    expect(life.endsAtMs).toBe(endsAt);
  });
});
