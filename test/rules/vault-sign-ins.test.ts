/** How attempts share a sign-in at Vault. */
import { describe, expect, it } from "vitest";
import { VaultSecrets, VaultSignIns } from "#instance/secrets/vault-secrets.ts";
import { type Answer, storeThat } from "#test/support/fake-store.ts";

describe("for many attempts at once", () => {
  const access = { url: "https://vault.test", namespace: null, auth: { roleId: "r", secretId: "s" } };
  const place = { mount: "secret", path: "acme", key: "a" };
  const document: Answer = { status: 200, body: { data: { data: { a: "1" } } } };
  /** Vault whose tokens can be used so often. */
  function vaultOf(usesOfToken: number) {
    const uses = new Map<string, number>();
    const store = storeThat((request) => {
      if (request.url.endsWith("/login")) {
        const token = `canary-token-${uses.size}`;
        uses.set(token, 0);
        return { status: 200, body: { auth: { client_token: token } } };
      }
      const token = request.headers.get("x-vault-token") ?? "";
      uses.set(token, (uses.get(token) ?? usesOfToken) + 1);
      return (uses.get(token) ?? 0) > usesOfToken ? { status: 403, body: { errors: ["bad token"] } } : document;
    });
    const signIns = new VaultSignIns();
    const readAll = () =>
      Promise.all(Array.from({ length: 64 }, () => new VaultSecrets(access, store.asking, signIns).read(place)));
    return { readAll, logins: () => store.requests.filter(({ url }) => url.endsWith("/login")).length };
  }

  it("Vault is signed in to once, and anew for those that come later", async () => {
    const { readAll, logins } = vaultOf(1_000);
    for (const times of [1, 2]) {
      expect(new Set((await readAll()).map((answer) => answer.ok && answer.value))).toEqual(new Set(["1"]));
      expect(logins()).toBe(times);
    }
  });

  it("each signs in by itself where the role's tokens can't be shared", async () => {
    const { readAll, logins } = vaultOf(1);
    expect((await readAll()).every(({ ok }) => ok)).toBe(true);
    expect(logins()).toBe(64);
  });

  it("a sign-in that fails is theirs all, and the next one is tried anew", async () => {
    let isDown = true;
    const { asking, requests } = storeThat(({ url }) => {
      if (isDown) return { status: 400, body: { errors: [] } };
      return url.endsWith("/login") ? { status: 200, body: { auth: { client_token: "t" } } } : document;
    });
    const signIns = new VaultSignIns();
    const read = () => new VaultSecrets(access, asking, signIns).read(place);
    expect(await Promise.all([read(), read()])).toEqual(Array(2).fill(expect.objectContaining({ fault: "refused" })));
    expect(requests).toHaveLength(1);
    isDown = false;
    expect(await read()).toEqual({ ok: true, value: "1" });
  });
});
