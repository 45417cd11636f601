/**
 * What a run asks for, and what becomes of it: one table for the rule itself, for the proxy of a runner and for a container.
 * Addresses are sent as they are written here; a program that tidies them up first asks for something else.
 */
import type { Network } from "#protocol/environment.ts";
import type { DenyReason } from "#rules/network/judge-request.ts";

export const OWN_RUN = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
export const OTHER_RUN = "run_0ABCDEFGHJKMNPQRSTVWXYZ013";

const ADDED = ["api.acme.dev", "*.cdn.acme.dev", "xn--bcher-kva.de", "*.co.uk"];
export const POLICIES = {
  none: { level: "none", allow: [] },
  trusted: { level: "trusted", allow: [] },
  more: { level: "trusted", allow: ADDED },
  custom: { level: "custom", allow: ADDED },
  full: { level: "full", allow: [] },
} as const satisfies Record<string, Network | { level: string; allow: readonly string[] }>;
export type PolicyName = keyof typeof POLICIES;

export type PolicyVerdict = "internet" | "proxy" | DenyReason;
export interface PolicyRow {
  policy: PolicyName;
  ask: string;
  verdict: PolicyVerdict;
  /** Asked to become a WebSocket. */
  isUpgrade: boolean;
}

type Asked = string | { upgrade: string };

function rows(policy: PolicyName, verdict: PolicyVerdict, asked: readonly Asked[]): PolicyRow[] {
  return asked.map((one) =>
    typeof one === "string"
      ? { policy, ask: one, verdict, isUpgrade: false }
      : { policy, ask: one.upgrade, verdict, isUpgrade: true },
  );
}

const PROXY = `http://reveille.internal/proxy/${OWN_RUN}`;

export const POLICY_ROWS: readonly PolicyRow[] = [
  // Schemes and ports.
  ...rows("trusted", "internet", [
    "https://nodejs.org/dist/",
    "https://nodejs.org:443/dist/",
    "http://nodejs.org/dist/",
    "http://nodejs.org:80/dist/",
    "https://NodeJS.org/dist/",
    "https://nodejs.org/dist/../dist/?a=b&c=%2e%2e",
    "http://code.claude.com/docs/",
    "https://raw.githubusercontent.com/acme/app/main/README.md",
    "https://files.pythonhosted.org/packages/",
    { upgrade: "https://nodejs.org/live" },
    { upgrade: "http://nodejs.org/live" },
  ]),
  ...rows("trusted", "host_not_allowed", [
    "https://nodejs.org:8443/",
    "http://nodejs.org:443/",
    "http://nodejs.org:8080/",
    "http://github.com:22/",
    "http://github.com:9418/",
    "https://github.com:0/",
    "http://user@nodejs.org/",
    "http://user:password@nodejs.org/",
  ]),
  // Names that only look like one of the list.
  ...rows("trusted", "host_not_allowed", [
    "https://example.com/",
    "https://nodejs.org.evil.com/",
    "https://evil-nodejs.org/",
    "https://xnodejs.org/",
    "https://sub.nodejs.org/",
    "https://nodejs.org./",
    "https://nodejs.org../",
    "https://nodejs.com/",
    "https://n\u043edejs.org/",
    "https://xn--ndejs-nye.org/",
    "https://nodejs\u3002org.evil.com/",
    "http://nodejs.org@evil.com/",
    "http://evil.com/nodejs.org",
    "http://evil.com/?https://nodejs.org/",
    "https://*.nodejs.org/",
    "https://.nodejs.org/",
    "https://nodejs/",
    { upgrade: "https://example.com/live" },
  ]),
  // What was in the list that it began as, and lets data out to anybody's server, bucket or inbox.
  ...rows("trusted", "host_not_allowed", [
    "https://evil.s3.amazonaws.com/",
    "https://s3.eu-central-1.amazonaws.com/evil/",
    "https://ec2-3-120-0-1.eu-central-1.compute.amazonaws.com/",
    "https://storage.googleapis.com/evil/",
    "https://evil.blob.core.windows.net/",
    "https://o1.ingest.sentry.io/api/1/envelope/",
    "https://evil.sourceforge.net/",
    "https://keyserver.ubuntu.com/pks/add",
  ]),
  // Wildcards, additions of a routine, names in other scripts.
  ...rows("more", "internet", [
    "https://nodejs.org/",
    "https://api.acme.dev/v1/things",
    "https://a.cdn.acme.dev/",
    "https://a.b.cdn.acme.dev/",
    "https://b\u00fccher.de/",
    "https://xn--bcher-kva.de/",
    "https://B\u00dcCHER.de/",
  ]),
  ...rows("more", "host_not_allowed", [
    "https://cdn.acme.dev/",
    "https://acme.dev/",
    "https://xcdn.acme.dev/",
    "https://x.api.acme.dev/",
    "https://co.uk/",
    "https://bucher.de/",
  ]),
  ...rows("custom", "internet", [
    "https://api.acme.dev/",
    "http://a.cdn.acme.dev/",
    "https://www.acme.co.uk/",
    { upgrade: "https://api.acme.dev/socket" },
  ]),
  ...rows("custom", "host_not_allowed", [
    "https://nodejs.org/",
    "https://github.com/",
    "https://cdn.acme.dev/",
    "https://api.acme.dev:444/",
  ]),
  ...rows("none", "host_not_allowed", [
    "https://nodejs.org/",
    "https://api.acme.dev/",
    "http://example.com/",
    { upgrade: "https://nodejs.org/" },
  ]),
  // Every public name, and none of a private network; addresses in every spelling.
  ...rows("full", "internet", [
    "https://example.com/",
    "http://example.com/",
    "https://evil.s3.amazonaws.com/",
    "https://a.very.long.name.of.some.company.example.org/",
    "https://m\u00fcnchen.de/",
    "https://xn--80ak6aa92e.com/",
    "https://_dmarc.example.com/",
    `https://${"a".repeat(63)}.example.com/`,
    { upgrade: "https://example.com/socket" },
  ]),
  ...rows("full", "host_not_allowed", [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://0xa9fea9fe/latest/meta-data/",
    "http://0251.0376.0251.0376/",
    "http://8.8.8.8/",
    "https://1.1.1.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[64:ff9b::7f00:1]/",
    "https://[2606:4700::1111]/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://localhost/",
    "http://localhost./",
    "http://a.localhost/",
    "http://metadata/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://instance-data.ec2.internal/",
    "http://host.docker.internal/",
    "http://host.containers.internal/",
    "http://printer.local/",
    "http://nas.home.arpa/",
    "http://router.lan/",
    "http://com/",
    "http://example.com./",
    "http://a..com/",
    `http://${"a".repeat(64)}.com/`,
    `http://${"a.".repeat(130)}com/`,
    "http://example.com:81/",
  ]),
  // The instance: the run's own proxies, and nothing else, whatever the policy is.
  ...rows("none", "proxy", [
    `${PROXY}/git/0/info/refs?service=git-upload-pack`,
    `${PROXY}/git/0/info/refs?service=git-receive-pack`,
  ]),
  ...rows("full", "path_not_allowed", [
    "http://reveille.internal/",
    "http://reveille.internal/healthz",
    "http://reveille.internal/api/v1/routines",
    "http://reveille.internal/runner/pool",
    `http://reveille.internal/proxy/${OTHER_RUN}/model/v1/messages`,
    `${PROXY}/../${OTHER_RUN}/model/v1/messages`,
    `${PROXY}/%2e%2e/${OTHER_RUN}/model/v1/messages`,
    { upgrade: "http://reveille.internal/api/v1/sessions/x/live" },
  ]),
  ...rows("full", "websocket_not_allowed", [{ upgrade: `${PROXY}/x` }]),
  ...rows("full", "host_not_allowed", [
    "http://reveille.internal:8787/",
    "http://reveille.internal./",
    "http://x.reveille.internal/",
    `http://user@reveille.internal/proxy/${OWN_RUN}/x`,
  ]),
];

/** What names are allowed and lead to: a name may lead to whatever its owner says, and elsewhere a moment later. */
export const ADDRESS_ROWS: readonly [address: string, isPublic: boolean][] = [
  ["93.184.215.14", true],
  ["1.1.1.1", true],
  ["172.15.255.255", true],
  ["172.32.0.1", true],
  ["100.63.255.255", true],
  ["2606:4700:4700::1111", true],
  ["2a00:1450:4001:800::200e", true],
  ["127.0.0.1", false],
  ["127.255.255.254", false],
  ["0.0.0.0", false],
  ["10.1.2.3", false],
  ["100.64.0.1", false],
  ["169.254.169.254", false],
  ["172.16.0.1", false],
  ["172.31.255.255", false],
  ["192.168.0.1", false],
  ["192.0.0.170", false],
  ["198.18.0.1", false],
  ["224.0.0.1", false],
  ["255.255.255.255", false],
  ["::", false],
  ["::1", false],
  ["::ffff:127.0.0.1", false],
  ["::ffff:93.184.215.14", false],
  ["64:ff9b::7f00:1", false],
  ["fe80::1", false],
  ["fe80::1%eth0", false],
  ["fd00:ec2::254", false],
  ["2002:7f00:1::", false],
  ["2001::1", false],
  ["2001:db8::1", false],
  ["ff02::1", false],
  ["localhost", false],
  ["", false],
];
