/** What a runner keeps of a clone, as its next runs have it: without writing it, and without being hurt by it. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noticesOf } from "../runner/support/agent-steps.ts";
import { Bed, bash, noSandbox } from "../runner/support/bed.ts";
import { git, seedUpstream } from "../runner/support/upstream.ts";

describe.skipIf(noSandbox !== null)("a clone that the runner has kept", () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
    seedUpstream(bed.upstream, "app", { "a.txt": "a\n", "b.txt": "b\n".repeat(500) });
  });
  afterAll(() => bed.close());

  const clones = () => join(bed.state, "clones");
  /** Damages every pack, in the middle. */
  function damagePacks(): number {
    const packs = readdirSync(clones(), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".pack"));
    for (const pack of packs) {
      const bytes = readFileSync(join(clones(), pack));
      rmSync(join(clones(), pack));
      writeFileSync(join(clones(), pack), bytes.fill(0x5a, 20, bytes.length - 25));
    }
    return packs.length;
  }

  it("can't be written by a run, also not when that is its own user's, and is cloned anew when it is damaged", async () => {
    const first = bed.run(["Done."], ["app"]);
    expect((await first.finished()).outcome).toEqual({ status: "succeeded" });
    const try_ = `kept=$(cat .git/objects/info/alternates); ls "$kept"/pack/*.pack | wc -l
for file in "$kept"/pack/*; do chmod u+w "$file"; echo x >> "$file"; rm -f "$file"; done 2>&1 | grep -c 'Read-only file system'
echo x > "$kept/new"; git fsck && cat a.txt; ls ${clones()}; git gc -q && git log --oneline | wc -l`;
    const second = bed.run([bash(try_), "Done."], ["app"]);
    expect((await second.finished()).outcome).toEqual({ status: "succeeded" });
    const { text } = await second.event("tool.result");
    expect(text).toMatch(/^1\n[1-9]/);
    expect(text).toMatch(/Read-only file system.*a\n.*(No such file|cannot access).*1$/s);

    expect(damagePacks()).toBe(1);
    const third = bed.run([bash("git fsck && cat a.txt; cat .git/objects/info/alternates"), "Done."], ["app"]);
    expect((await third.finished()).outcome).toEqual({ status: "succeeded" });
    expect(noticesOf(third, "clone_cache_damaged")).toHaveLength(1);
    expect((await third.event("tool.result")).text).toMatch(/a\n.*No such file/s);

    const fourth = bed.run([bash("cat .git/objects/info/alternates | wc -l; git fsck"), "Done."], ["app"]);
    expect((await fourth.finished()).outcome).toEqual({ status: "succeeded" });
    expect(noticesOf(fourth, "clone_cache_damaged")).toEqual([]);
    expect((await fourth.event("tool.result")).text).toMatch(/^1\b/);
    expect(git("-C", join(bed.upstream, "app.git"), "log", "--format=%s")).toBe("Begin");
  });
});
