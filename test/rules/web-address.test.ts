/** Addresses that `URL` understands otherwise than they are written are refused wherever somebody gives one. */
import { describe, expect, it } from "vitest";
import { readConfig } from "#instance/config.ts";
import { connectorInputSchema } from "#protocol/connector.ts";
import { webhookFault } from "#protocol/notification.ts";
import { clonedRepositorySchema } from "#protocol/repository.ts";
import { isWrittenWhole, parseAddress, webAddress } from "#protocol/web-address.ts";
import { batchAnswerSchema } from "#worker/proxy/lfs/batch.ts";

const BROKEN = ["\n", "\r", "\r\n", "\t", "\u0000", "\u001b", "\u0085", "\u00a0", "\u2028", "\u2029", "\ufeff", " "];
const address = webAddress("must be an address");

describe.each(BROKEN.map((broken) => [JSON.stringify(broken), `https://mcp.acme.dev/a${broken}b`] as const))(
  "an address with %s in it",
  (_, text) => {
    it("is none", () => {
      expect(isWrittenWhole(text)).toBe(false);
      expect(parseAddress(text)).toBeNull();
      expect(address.safeParse(text).error?.issues).toHaveLength(1);
    });

    it("is refused as a connector's, a webhook's, a repository's, an upstream's and a variable's", () => {
      expect(connectorInputSchema.safeParse({ name: "acme", url: text }).error?.issues[0]?.path).toEqual(["url"]);
      expect(webhookFault(text)).not.toBeNull();
      expect(webhookFault(text.replace("b", "{{ NAME }}"))).not.toBeNull();
      expect(clonedRepositorySchema.safeParse({ url: text }).success).toBe(false);
      const object = { oid: "a", actions: { download: { href: text } } };
      expect(batchAnswerSchema.safeParse({ objects: [object] }).success).toBe(false);
      const check = readConfig({ PUBLIC_URL: text } as unknown as Parameters<typeof readConfig>[0]);
      expect(check.ok ? [] : check.issues.map(({ field }) => field)).toContain("PUBLIC_URL");
    });
  },
);

it("is what can be read, with any letters", () => {
  for (const text of ["https://mcp.acme.dev/a?b=c%20d", "http://bücher.example/ä", "https://[::1]:8/"]) {
    expect(parseAddress(text)?.href).toBe(new URL(text).href);
    expect(address.safeParse(text).success).toBe(true);
  }
  expect(address.safeParse("ftp://mcp.acme.dev").error?.issues).toHaveLength(1);
  expect(address.parse(" https://mcp.acme.dev/\n")).toBe("https://mcp.acme.dev/");
});
