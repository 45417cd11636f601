/** The places that keep values of secrets, against the answers that their documentation describes; and AWS's signature. */
import { describe, expect, it, vi } from "vitest";
import { readConfig } from "#instance/config.ts";
import { KeyRing } from "#instance/key-ring.ts";
import { ASKING, type Asking } from "#instance/secrets/ask-store.ts";
import { AwsSecrets } from "#instance/secrets/aws-secrets.ts";
import { KeptSecrets, placeOfSecret } from "#instance/secrets/kept-secrets.ts";
import { ROWS_DEADLINE_MS } from "#instance/secrets/secret-rows.ts";
import { signAws } from "#instance/secrets/sign-aws.ts";
import { VaultSecrets } from "#instance/secrets/vault-secrets.ts";
import { HELLO_DEADLINE_MS } from "#protocol/runner-link.ts";
import { type SourceBed, secretSource } from "#test/contracts/secret-source.ts";
import { type Answer, storeThat } from "#test/support/fake-store.ts";

const NOW = Date.parse("2015-08-30T12:36:00Z");
const KEY = "signing-key-of-the-sources-0123456789abcdef";

function kept(): SourceBed {
  vi.spyOn(console, "error").mockImplementation(() => {});
  let ring = new KeyRing([KEY]);
  let sealed = "";
  let name = "ONE";
  return {
    set: async (value) => {
      sealed = await ring.seal(placeOfSecret(name), String(value));
    },
    read: () => new KeptSecrets(ring).read({ name, sealed }),
    credentials: [KEY],
    faults: {
      "under another key": {
        begin: () => {
          ring = new KeyRing([`another-${KEY}`]);
        },
        fault: "unreadable",
      },
      "of another name": {
        begin: () => {
          name = "TWO";
        },
        fault: "unreadable",
      },
      changed: {
        begin: () => {
          sealed = `${sealed.slice(0, -6)}AAAAAA`;
        },
        fault: "unreadable",
      },
      empty: {
        begin: () => {
          sealed = "";
        },
        fault: "unreadable",
      },
    },
  };
}

/** Of the API's documentation: a KV engine of version 2, and AppRole. */
function vault(auth: { token: string } | { roleId: string; secretId: string }): SourceBed {
  const document: Record<string, unknown> = {};
  let instead: Answer | null = null;
  let ofLogin: Answer | null = null;
  const store = storeThat(async (request) => {
    const { pathname } = new URL(request.url);
    if (request.headers.get("x-vault-namespace") !== "team/a") return { status: 404, body: { errors: [] } };
    if (pathname === "/v1/auth/approle/login") {
      const { role_id, secret_id } = (await request.json()) as Record<string, string>;
      const isRight = role_id === "role" && secret_id === "canary-secret-id";
      const wrong: Answer = { status: 400, body: { errors: ["invalid role or secret ID"] } };
      return ofLogin ?? (isRight ? { status: 200, body: { auth: { client_token: "canary-token" } } } : wrong);
    }
    if (instead !== null) return instead;
    if (request.headers.get("x-vault-token") !== "canary-token")
      return { status: 403, body: { errors: ["permission denied"] } };
    if (pathname !== "/v1/kv/data/acme/prod%20one") return { status: 404, body: { errors: [] } };
    return { status: 200, body: { data: { data: document, metadata: { version: 2 } } } };
  });
  const access = { url: "https://vault.test", namespace: "team/a", auth };
  const place = { mount: "kv", path: "/acme/prod one", key: "token" };
  const answers = (answer: Answer) => () => {
    instead = answer;
  };
  const deleted = { data: { data: null, metadata: { deletion_time: "2026-01-01T00:00:00Z" } } };
  return {
    set: (value) => {
      document["token"] = value;
    },
    read: () => new VaultSecrets(access, store.asking).read(place),
    credentials: ["canary-token", "canary-secret-id"],
    faults: {
      "without the key": { begin: () => void delete document["token"], fault: "missing" },
      "without the path": {
        begin: () => {
          place.path = "acme/other";
        },
        fault: "missing",
      },
      "a path that leads elsewhere": {
        begin: () => {
          place.path = "../../sys/canary-token";
        },
        fault: "missing",
      },
      deleted: { begin: answers({ status: 404, body: deleted }), fault: "missing" },
      denied: {
        begin: answers({ status: 403, body: { errors: ["1 error: permission denied canary-token"] } }),
        fault: "refused",
      },
      "a token that has ended": {
        begin: answers({ status: 403, body: { errors: ["invalid token"] } }),
        fault: "refused",
      },
      "in another namespace": {
        begin: () => {
          access.namespace = "team/b";
        },
        fault: "roleId" in auth ? "refused" : "missing",
      },
      sealed: { begin: answers({ status: 503, body: { errors: ["Vault is sealed"] } }), fault: "unreachable" },
      "a standby that sends on": { begin: answers({ status: 307, body: null }), fault: "unreachable" },
      "of version 1": {
        begin: answers({ status: 200, body: { data: { token: "canary-of-the-source" } } }),
        fault: "unreadable",
      },
      "something else": { begin: answers({ status: 200, body: "<html>" }), fault: "unreadable" },
      busy: { begin: answers({ status: 429, body: {} }), fault: "unreachable" },
      silent: { begin: answers("silence"), fault: "unreachable" },
      away: { begin: answers("broken"), fault: "unreachable" },
      ...("roleId" in auth && {
        "a role that has ended": {
          begin: () => {
            auth.secretId = "other";
          },
          fault: "refused",
        },
        "silent at sign-in": {
          begin: () => {
            ofLogin = "silence";
          },
          fault: "unreachable",
        },
        "down at sign-in": {
          begin: () => {
            ofLogin = { status: 500, body: {} };
          },
          fault: "unreachable",
        },
      }),
    },
  };
}

/** Of the API's documentation: GetSecretValue. */
function aws(key: string | undefined): SourceBed {
  let text: string | undefined;
  let instead: Answer | null = null;
  const failure = (type: string, status = 400): Answer => ({
    status,
    body: { __type: type, Message: "canary-secret-key" },
  });
  const store = storeThat(async (request) => {
    if (instead !== null) return instead;
    const { SecretId } = (await request.json()) as Record<string, string>;
    const isRight =
      request.url === "https://secretsmanager.eu-central-1.amazonaws.com/" &&
      request.headers.get("x-amz-target") === "secretsmanager.GetSecretValue" &&
      request.headers.get("x-amz-security-token") === "lent" &&
      SecretId === "prod/token";
    if (!isRight) return failure("ResourceNotFoundException");
    return { status: 200, body: { Name: SecretId, SecretString: text, VersionStages: ["AWSCURRENT"] } };
  });
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "canary-secret-key", sessionToken: "lent" };
  const place = { secret_id: "prod/token", region: "eu-central-1", key };
  const answers = (answer: Answer) => () => {
    instead = answer;
  };
  return {
    set: (value) => {
      text = key === undefined ? String(value) : JSON.stringify({ [key]: value, other: 1 });
    },
    read: () => new AwsSecrets({ credentials, region: "us-east-1", url: null }, store.asking).read({ ...place }),
    credentials: ["canary-secret-key", "lent"],
    faults: {
      "without the secret": {
        begin: () => {
          place.secret_id = "other";
        },
        fault: "missing",
      },
      "in another region": {
        begin: () => {
          place.region = "cn-north-1";
        },
        fault: "missing",
      },
      "to be deleted": { begin: answers(failure("InvalidRequestException")), fault: "missing" },
      denied: { begin: answers(failure("com.amazonaws.secretsmanager#AccessDeniedException")), fault: "refused" },
      "a key that is unknown": { begin: answers(failure("UnrecognizedClientException")), fault: "refused" },
      "a wrong signature": { begin: answers(failure("InvalidSignatureException")), fault: "refused" },
      "a clock that is off": { begin: answers(failure("SignatureDoesNotMatch", 403)), fault: "refused" },
      "a session that has ended": { begin: answers(failure("ExpiredTokenException")), fault: "refused" },
      "under a key of KMS that is off": { begin: answers(failure("DecryptionFailure")), fault: "unreadable" },
      throttled: { begin: answers(failure("ThrottlingException")), fault: "unreachable" },
      "at fault": { begin: answers(failure("InternalServiceError", 500)), fault: "unreachable" },
      binary: { begin: answers({ status: 200, body: { SecretBinary: "AAEC" } }), fault: "unreadable" },
      "something else": { begin: answers({ status: 200, body: "<html>" }), fault: "unreachable" },
      silent: { begin: answers("silence"), fault: "unreachable" },
      away: { begin: answers("broken"), fault: "unreachable" },
      ...(key !== undefined && {
        "without the key": {
          begin: () => {
            text = "{}";
          },
          fault: "missing",
        },
        "a key of every object": {
          begin: () => {
            place.key = "toString";
          },
          fault: "missing",
        },
        "no JSON": {
          begin: () => {
            text = "canary-of-the-source";
          },
          fault: "unreadable",
        },
      }),
    },
  };
}

secretSource("the instance itself", kept, false);
secretSource("Vault, with a token", () => vault({ token: "canary-token" }), true);
secretSource("Vault, with a role", () => vault({ roleId: "role", secretId: "canary-secret-id" }), true);
secretSource("AWS, a whole secret", () => aws(undefined), false);
secretSource("AWS, a key of one", () => aws("token"), true);

describe("for one attempt", () => {
  it("Vault is signed in to once, and asked for each document once", async () => {
    const documents = { data: { data: { a: "1", b: "2" } } };
    const { asking, requests } = storeThat(({ url }) =>
      url.endsWith("/login")
        ? { status: 200, body: { auth: { client_token: "t" } } }
        : { status: 200, body: documents },
    );
    const access = { url: "https://vault.test", namespace: null, auth: { roleId: "r", secretId: "s" } };
    const reader = new VaultSecrets(access, asking);
    const read = ["a", "b", "a"].map((key) => reader.read({ mount: "secret", path: "acme", key }));
    expect((await Promise.all(read)).map((answer) => answer.ok && answer.value)).toEqual(["1", "2", "1"]);
    expect(requests.map(({ url }) => new URL(url).pathname)).toEqual([
      "/v1/auth/approle/login",
      "/v1/secret/data/acme",
    ]);
  });

  it("Vault's sign-in and document have one deadline, which with those of D1 is shorter than a runner's hello waits", async () => {
    const signals: unknown[] = [];
    const { asking } = storeThat(() => ({ status: 200, body: { auth: { client_token: "t" } } }));
    const noting: Asking = {
      ...asking,
      fetch: (url, init) => {
        signals.push(init.signal);
        return asking.fetch(url, init);
      },
    };
    const access = { url: "https://vault.test", namespace: null, auth: { roleId: "r", secretId: "s" } };
    await new VaultSecrets(access, noting).read({ mount: "secret", path: "acme", key: "a" });
    expect(signals).toHaveLength(2);
    expect(signals[0]).toBe(signals[1]);
    expect(ASKING.deadlineMs + 2 * ROWS_DEADLINE_MS).toBeLessThan(HELLO_DEADLINE_MS - 1_000);
  });

  it("a store that fails for a moment is asked again, three times at most, and nothing follows a redirect", async () => {
    let left = 2;
    const { asking, requests } = storeThat(() => {
      left -= 1;
      return left < 0 ? { status: 200, body: { data: { data: { a: "1" } } } } : { status: 503, body: {} };
    });
    const access = { url: "https://vault.test", namespace: null, auth: { token: "t" } };
    const read = () => new VaultSecrets(access, asking).read({ mount: "secret", path: "acme", key: "a" });
    expect(await read()).toEqual({ ok: true, value: "1" });
    left = 9;
    expect(await read()).toMatchObject({ fault: "unreachable" });
    expect(requests.length).toBe(6);
    expect(requests.every(({ redirect }) => redirect === "manual")).toBe(true);
  });
});

/** AWS's published suite of Signature Version 4, as far as it is about requests of this form. */
const VECTORS: [
  name: string,
  method: "GET" | "POST",
  headers: Record<string, string>,
  body: string,
  signed: string,
  signature: string,
][] = [
  ["get-vanilla", "GET", {}, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
  [
    "post-vanilla",
    "POST",
    {},
    "",
    "host;x-amz-date",
    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  ],
  [
    "post-header-key-sort",
    "POST",
    { "My-Header1": "value1" },
    "",
    "host;my-header1;x-amz-date",
    "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
  ],
  [
    "post-header-value-case",
    "POST",
    { "My-Header1": "VALUE1" },
    "",
    "host;my-header1;x-amz-date",
    "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
  ],
  [
    "get-header-value-trim",
    "GET",
    { "My-Header1": " value1", "My-Header2": ' "a   b   c"' },
    "",
    "host;my-header1;my-header2;x-amz-date",
    "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
  ],
  [
    "post-x-www-form-urlencoded",
    "POST",
    { "Content-Type": "application/x-www-form-urlencoded" },
    "Param1=value1",
    "content-type;host;x-amz-date",
    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  ],
];

it.each(VECTORS)("signs %s as AWS has published it", async (_name, method, headers, body, signed, signature) => {
  const order = { method, host: "example.amazonaws.com", headers, body, region: "us-east-1", service: "service" };
  const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  const sent = await signAws(order, { accessKeyId: "AKIDEXAMPLE", secretAccessKey, sessionToken: null }, NOW);
  const scope = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
  expect(sent["authorization"]).toBe(
    `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=${signed}, Signature=${signature}`,
  );
});

const TOKENS = { OWNER_TOKEN: KEY, SIGNING_KEY: KEY, RUNNER_TOKEN: KEY };

it.each([
  [{ SECRETS_VAULT_URL: "https://vault.test/" }, ["SECRETS_VAULT_TOKEN"]],
  [{ SECRETS_VAULT_URL: "https://vault.test", SECRETS_VAULT_ROLE_ID: "r" }, ["SECRETS_VAULT_TOKEN"]],
  [{ SECRETS_VAULT_TOKEN: "t" }, ["SECRETS_VAULT_URL"]],
  [{ SECRETS_AWS_ACCESS_KEY_ID: "a" }, ["SECRETS_AWS_REGION", "SECRETS_AWS_SECRET_ACCESS_KEY"]],
  [
    { SECRETS_AWS_REGION: "nowhere" },
    ["SECRETS_AWS_REGION", "SECRETS_AWS_ACCESS_KEY_ID", "SECRETS_AWS_SECRET_ACCESS_KEY"],
  ],
  [{ SECRETS_AWS_REGION: "", SECRETS_VAULT_URL: "" }, []],
  [{ SECRETS_VAULT_URL: "https://vault.test/", SECRETS_VAULT_TOKEN: "t" }, []],
])("an instance with %j is told of %j", (given, fields) => {
  const check = readConfig({ ...TOKENS, ...given });
  expect(check.ok ? [] : check.issues.map(({ field }) => field)).toEqual(fields);
});
