/** The GitHub App as it is kept: what two workers do with it at once, and workers of two versions. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { KeyRing, type Place } from "#instance/key-ring.ts";
import { AppKeeper, type KeptApp } from "#worker/github/kept-app.ts";
import { type SealedDocuments, sealedDocuments } from "#worker/store/sealed-documents.ts";

const PLACE: Place = { kind: "github-app", id: "github_app" };
const [NOW, BEFORE] = ["signing-key-now-0123456789abcdefghi", "signing-key-before-0123456789abcdef"] as const;
const documents = sealedDocuments(env.DB, env.DB);
const later = Date.now();

function app(name: string): KeptApp {
  const facts = { id: 1, slug: name, name, owner: "acme", client_id: "c", html_url: `https://github.com/apps/${name}` };
  return { ...facts, private_key: `key of ${name}`, webhook_secrets: [], made_at_ms: 1 };
}

const keeper = (keys: [string, ...string[]] = [NOW, BEFORE], kept: SealedDocuments = documents) =>
  new AppKeeper(kept, new KeyRing(keys));

async function keepUnder(key: string, name: string): Promise<void> {
  await documents.write(PLACE.id, await new KeyRing([key]).seal(PLACE, JSON.stringify(app(name))), later);
}

/** The name of the App as a worker reads it that has just started. */
async function nameFor(keys: [string, ...string[]]): Promise<string | undefined> {
  const read = await keeper(keys).read(later);
  return read.ok ? read.value?.name : read.refusal.code;
}

/** Another worker does something once the row has been read. */
function meanwhile(does: () => Promise<void>): SealedDocuments {
  let isDone = false;
  const read = async (name: string) => {
    const sealed = await documents.read(name);
    if (!isDone) await does();
    isDone = true;
    return sealed;
  };
  return { ...documents, read };
}

afterEach(() => documents.remove(PLACE.id));

describe("the GitHub App", () => {
  it.each<[string, (kept: AppKeeper) => Promise<unknown>]>([
    ["read", (kept) => kept.read(later)],
    ["encrypted anew", (kept) => kept.encryptAnew(later)],
  ])("that is %s while another takes its place, or it is forgotten, does not come back", async (_what, use) => {
    await keepUnder(BEFORE, "old");
    await use(
      keeper(
        [NOW, BEFORE],
        meanwhile(() => keeper().keep(app("new"), later)),
      ),
    );
    expect(await nameFor([NOW])).toBe("new");
    await keepUnder(BEFORE, "old");
    await use(
      keeper(
        [NOW, BEFORE],
        meanwhile(() => keeper().forget(later)),
      ),
    );
    expect(await nameFor([NOW, BEFORE])).toBeUndefined();
  });

  it("is not what was known before a worker put another in its place", async () => {
    await keepUnder(NOW, "old");
    const mine: AppKeeper = keeper(
      [NOW],
      meanwhile(() => mine.keep(app("new"), later)),
    );
    await mine.read(later);
    expect(await mine.read(later)).toMatchObject({ value: { name: "new" } });
  });

  it("is read by workers of the version before until it is encrypted anew, and by those after then", async () => {
    await keepUnder(BEFORE, "one");
    expect([await nameFor([NOW, BEFORE]), await nameFor([BEFORE])]).toEqual(["one", "one"]);
    expect(await keeper().encryptAnew(later)).toEqual({ encrypted_anew: 1, isUnreadable: false });
    expect([await nameFor([NOW]), await nameFor([BEFORE])]).toEqual(["one", "secret_unreadable"]);
    expect(await keeper().encryptAnew(later)).toEqual({ encrypted_anew: 0, isUnreadable: false });
  });

  it("is changed only as long as it is what was read", async () => {
    await keepUnder(NOW, "one");
    const found = await keeper().find();
    const before = found.ok ? found.value : null;
    expect(before?.app.name).toBe("one");
    expect(await keeper().replace(before?.sealed ?? "", app("two"), later)).toBe(true);
    expect(await keeper().replace(before?.sealed ?? "", app("three"), later)).toBe(false);
    expect(await nameFor([NOW])).toBe("two");
  });

  it("is written once though the database is asked again", async () => {
    await documents.write(PLACE.id, "a", later);
    expect([
      await documents.replace(PLACE.id, "a", "b", later),
      await documents.replace(PLACE.id, "a", "b", later),
    ]).toEqual([true, true]);
    expect(await documents.replace(PLACE.id, "a", "c", later)).toBe(false);
  });
});
