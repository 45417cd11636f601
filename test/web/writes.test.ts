/** Everything in the pages that changes something goes through `useWrite`, so that a double click changes it once. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { QueryClient } from "@tanstack/react-query";
import { expect, it } from "vitest";
import { keepAnswer } from "../../web/src/keep-answer.ts";

const WEB = path.resolve(import.meta.dirname, "../../web/src");
const CLIENT = "client/generated.ts";
/** Wrappers of it. */
const THROUGH = /\buse(Write|PoolCall)\b/;
/** Calls that are no GET, and that no button makes. */
const OTHER_WAYS: Record<string, string> = {
  "editor/editor-queries.ts": "previews and checks, which change nothing",
  "doctor/doctor-page.tsx": "a diagnosis, which changes nothing",
  "session/browser-doors.ts": "said under an id of its own, which counts once; and tickets",
  "sign-in/sign-in-code.ts": "at the start, with a code that works once",
};

const sources = globSync("**/*.{ts,tsx}", { cwd: WEB }).map((file) => ({
  file: file.replaceAll("\\", "/"),
  text: readFileSync(path.join(WEB, file), "utf8"),
}));
const client = sources.find(({ file }) => file === CLIENT)?.text ?? "";
const writes = [
  ...client.matchAll(/export const (\w+) = async \((?:(?!export const)[\s\S])*?method: '(?!GET)\w+'/g),
].map(([, name = ""]) => name);

/** The functions of the client that a file calls, by their names or as `api.name`. */
function callsOf(text: string): string[] {
  const named = /import \{([^}]*)\} from "[^"]*client\/generated\.ts"/.exec(text)?.[1]?.split(",") ?? [];
  return [...named.map((name) => name.trim()), ...[...text.matchAll(/\bapi\.(\w+)\(/g)].map(([, name = ""]) => name)];
}

it("no page starts a mutation by itself", () => {
  expect(sources.filter(({ text }) => /\buseMutation\b/.test(text)).map(({ file }) => file)).toEqual(["write.ts"]);
});

it("whatever writes is called within useWrite", () => {
  expect(writes).toEqual(expect.arrayContaining(["createRoutine", "cancelRun", "setSecret", "deletePool", "signIn"]));
  expect(writes).not.toContain("listRoutines");
  const bare = sources.filter(({ text }) => callsOf(text).some((name) => writes.includes(name)) && !THROUGH.test(text));
  expect(bare.map(({ file }) => file).toSorted()).toEqual(Object.keys(OTHER_WAYS).toSorted());
});

it("no answer is put in place while what is older may still come", () => {
  const bare = sources.filter(({ text }) => /\.setQueryData\(/.test(text)).map(({ file }) => file);
  // A draft is read from nowhere.
  expect(bare.toSorted()).toEqual(["editor/drafting/use-drafting.ts", "keep-answer.ts"]);
});

it.each([["what was read before", "before"] as const, ["nothing yet", undefined] as const])(
  "an answer stays, whatever was being read meanwhile, over %s",
  async (_what, before) => {
    const queries = new QueryClient();
    const queryKey = ["routine"];
    if (before !== undefined) queries.setQueryData(queryKey, before);
    const { promise, resolve } = Promise.withResolvers<string>();
    const reading = queries.fetchQuery({ queryKey, queryFn: () => promise, staleTime: 0 }).catch(() => undefined);
    await keepAnswer(queries, queryKey, "answered");
    resolve("older");
    await reading;
    expect(queries.getQueryData(queryKey)).toBe("answered");
  },
);
