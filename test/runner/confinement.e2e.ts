/** What an agent can find, write and reach from inside its sandbox, tried with its own tool calls. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bed, bash, GIT_CREDENTIAL, noSandbox } from "./support/bed.ts";
import { RUNNER_TOKEN } from "./support/fake-instance.ts";
import { seedUpstream } from "./support/upstream.ts";

/** Turns output around, so that no scrubbing on its way can hide from the test what the agent saw. */
const turned = (command: string) => `(${command}) 2>&1 | rev`;
const readTurned = (text: string) =>
  text
    .split("\n")
    .map((line) => [...line].reverse().join(""))
    .join("\n");

describe.skipIf(noSandbox !== null)("in its sandbox an agent", { concurrent: true }, () => {
  let bed: Bed;
  let bystander: Server;
  let calls = 0;

  beforeAll(async () => {
    bed = await Bed.make({ SECRET_OF_THE_HOST: "hush-hush-0001" });
    seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
    mkdirSync(join(bed.state, "runs", "run_other.1"), { recursive: true });
    writeFileSync(join(bed.state, "runs", "run_other.1", "secret"), "secret-of-another-run");
    bystander = createServer((socket) => {
      calls += 1;
      socket.destroy();
    });
    await new Promise<void>((ready) => bystander.listen(0, "127.0.0.1", ready));
  });
  afterAll(async () => {
    bystander.close();
    await bed.close();
  });

  /** Runs the commands as the agent's tool calls. @returns their outputs. */
  async function asAgent(
    commands: string[],
    repositories: string[] = [],
  ): Promise<{ texts: string[]; tokens: string[] }> {
    const run = bed.run([...commands.map((command) => bash(command)), "Done."], repositories);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(run.stored.map(({ body }) => body)).toContainEqual({ kind: "running", sandbox: "sandbox-runtime" });
    const texts = run.events.filter((event) => event.type === "tool.result").map(({ text }) => text);
    expect(texts.length).toBe(commands.length);
    return { texts, tokens: [run.linkToken, run.proxyToken] };
  }

  it("finds no secret but its own proxy token", async () => {
    const look = [
      "env",
      "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'",
      "git config --list --show-origin",
      "find / -name record.json -o -name runner.json -o -name secret -o -name .credentials.json 2>/dev/null; ls -a / /root /home /tmp",
      'cat "$TMPDIR"/../record.json "$TMPDIR"/../../../runner.json; ls "$TMPDIR"/../.. "$TMPDIR"/..',
      // The brackets keep the search from finding itself.
      "grep -rlsaE --exclude-dir={proc,sys,usr,bin,dev,@anthropic-ai} 'rvl_lin[k]|runner-toke[n]|upstream-passwor[d]|hush-hus[h]|secret-of-anothe[r]' /; echo end of search",
    ];
    const { texts, tokens } = await asAgent(look.map(turned), ["app"]);
    const [linkToken = "", proxyToken = ""] = tokens;
    const seen = texts.map(readTurned).join("\n");
    expect(seen).toContain(proxyToken);
    const secrets = [
      linkToken,
      RUNNER_TOKEN,
      GIT_CREDENTIAL,
      "hush-hush",
      "secret-of-another-run",
      "SECRET_OF_THE_HOST",
    ];
    expect(secrets.filter((secret) => seen.includes(secret))).toEqual([]);
    expect(seen).not.toContain("run_other.1");
    expect(readTurned(texts[5] ?? "").trim()).toBe("end of search");
    // The commands that look for processes see the sandbox's own only.
    expect(seen).not.toContain("execute-run.ts");
    expect(seen).not.toContain("vitest");
  });

  it("writes nothing outside its workspace, its home and its temporary folder", async () => {
    const own = 'echo ok > written && echo ok > ~/written && echo ok > "$TMPDIR/written" && cat written ~/written';
    const places = [
      bed.folder,
      bed.state,
      join(bed.state, "runs", "run_other.1"),
      "/usr/local",
      "/etc",
      process.env["HOME"] ?? "/root",
      "/var/tmp",
    ];
    const name = `escaped-${crypto.randomUUID()}`;
    const tries = places.map((place) => `mkdir -p '${place}'; echo x > '${place}/${name}'`).join("; ");
    const hooks = ["git/hooks/prepare-commit-msg", "git/hooks/session-trailer"];
    const readOnly = ["git/config", ...hooks, "launch/launcher.sh", "launch/commands/1.sh"];
    const overwrite = readOnly.map((file) => `echo x >> "$TMPDIR/../${file}"; rm -f "$TMPDIR/../${file}"`).join("; ");
    const { texts } = await asAgent([
      own,
      `${tries}; true`,
      `(${overwrite}) 2>&1; tail -n 1 "$TMPDIR/../git/hooks/prepare-commit-msg"`,
    ]);
    expect(texts[0]).toBe("ok\nok");
    expect(places.filter((place) => existsSync(join(place, name)))).toEqual([]);
    // The one where the agent is the user whose files these are, the other where it is not.
    expect(texts[2]?.match(/Read-only file system|Permission denied/g)?.length).toBe(2 * readOnly.length);
    expect(texts[2]).toMatch(/session-trailer" prepare-commit-msg "\$@"$/);
  });

  it("reaches its relay and nothing else", async () => {
    const { port } = bystander.address() as { port: number };
    const worker = new URL(bed.instance.url).port;
    const direct = [port, worker].map((number) =>
      ["127.0.0.1", "[::1]", "localhost"].map((host) => `http://${host}:${number}/`),
    );
    const outside = ["http://example.com/", "https://example.com/", "http://169.254.169.254/", "http://1.1.1.1:53/"];
    const script = `
      import { connect } from "node:net";
      import { request } from "node:http";
      const urls = ${JSON.stringify([...direct.flat(), ...outside])};
      const relay = new URL(process.env.ANTHROPIC_BASE_URL).origin;
      const proxy = new URL(process.env.HTTP_PROXY);
      const auth = "Basic " + Buffer.from(decodeURIComponent(proxy.username) + ":" + decodeURIComponent(proxy.password)).toString("base64");
      const viaProxy = (url, headers = {}) => new Promise((settle) => {
        const call = request({ host: proxy.hostname, port: proxy.port, path: url, headers: { host: new URL(url).host, "proxy-authorization": auth, ...headers } }, (answer) => {
          let text = "";
          answer.on("data", (chunk) => (text += chunk)).on("end", () => settle(answer.statusCode + " " + text.slice(0, 300)));
        });
        call.on("error", (error) => settle("error " + error.code)).end();
      });
      const direct = (host, port) => new Promise((settle) => {
        const socket = connect({ host, port }, () => settle("connected")).on("error", (error) => settle("error " + error.code));
        socket.setTimeout(2000, () => settle("timeout"));
      });
      for (const url of urls) console.log(url, await viaProxy(url));
      console.log("spoofed", await viaProxy(urls[0], { host: new URL(relay).host }));
      for (const port of [${port}, ${worker}]) console.log("direct", await direct("127.0.0.1", port));
      for (const path of ["/", "/api/v1/routines", "/runner/pool", "/proxy/run_other/model/v1/messages", "/cdn-cgi/"]) console.log("relay", path, await viaProxy(relay + path));
    `;
    const { texts } = await asAgent([`cat > probe.mjs <<'END'\n${script}\nEND\nnode probe.mjs`]);
    const lines = (texts[0] ?? "").split("\n").filter((line) => line !== "");
    const [refused, relayed] = [
      lines.filter((line) => !line.startsWith("relay ")),
      lines.filter((line) => line.startsWith("relay ")),
    ];
    expect(refused.length).toBe(direct.flat().length + outside.length + 3);
    for (const line of refused) expect(line).toMatch(/ (403 .*(?:network policy|reaches hosts)|error [A-Z]+)/);
    expect(relayed.length).toBe(5);
    for (const line of relayed) expect(line).toMatch(/ 403 .*proxy_refused/);
    expect(calls).toBe(0);
    expect(
      bed.instance.proxied.filter(
        (request) => !request.includes("/v1/messages?beta=true") && !request.includes("/git/0/"),
      ),
    ).toEqual([]);
  });

  it("runs nothing outside through the repository's own git settings", async () => {
    const evidence = join(bed.folder, `pwned-${crypto.randomUUID()}`);
    const trap = `sh -c "echo trapped >> $HOME/trapped; echo x > ${evidence}; cat"`;
    const settings = {
      "core.fsmonitor": trap,
      "core.pager": trap,
      "core.editor": trap,
      "core.sshCommand": trap,
      "diff.external": trap,
      "credential.helper": `!${trap}`,
      "filter.evil.clean": trap,
      "filter.evil.smudge": trap,
      "filter.evil.process": trap,
      "gc.auto": "1",
      "alias.rev-list": `!${trap}`,
      "uploadpack.packObjectsHook": trap,
    };
    const set = Object.entries(settings).map(
      ([key, value]) => `git config '${key}' '${value.replaceAll("'", "'\\''")}'`,
    );
    const hooks = ["post-index-change", "reference-transaction", "post-checkout", "pre-push"].map(
      (name) => `printf '#!/bin/sh\\n%s\\n' '${trap}' > .git/hooks/${name}; chmod +x .git/hooks/${name}`,
    );
    const { texts } = await asAgent(
      [
        `${set.join("; ")}; ${hooks.join("; ")}; echo '* filter=evil' > .gitattributes; echo new > new.txt; echo set`,
        "git add -A </dev/null; git commit -qm Evil </dev/null; git status </dev/null >/dev/null 2>&1; echo more >> README.md; echo trapped=$(wc -l < ~/trapped)",
      ],
      ["app"],
    );
    expect(texts[0]).toContain("set");
    // The trap works: inside it has been sprung. Outside, where the counts after the run would spring it, it has not.
    expect(texts[1]).toMatch(/trapped=[1-9]/);
    expect(existsSync(evidence)).toBe(false);
  });

  it("runs nothing outside through a shell's start-up files in its home", async () => {
    const evidence = join(bed.folder, `sourced-${crypto.randomUUID()}`);
    const files = [".bashrc", ".bash_profile", ".bash_login", ".profile", ".bash_logout", ".zshenv"];
    const write = files.map((name) => `echo 'echo x > ${evidence}' > ~/${name}`).join("; ");
    // With a repository there are counts after the run: the commands that enter the sandbox when the home is the agent's.
    const { texts } = await asAgent([`${write}; ls -a ~ | grep -c '^[.][bpz]'`], ["app"]);
    expect(texts).toEqual([String(files.length)]);
    expect(existsSync(evidence)).toBe(false);
  });

  it("takes nothing of the host along in its open files", async () => {
    const { texts } = await asAgent([
      "readlink /proc/1/fd/* /proc/2/fd/* | grep -v -e '^pipe:' -e '^socket:' -e anon_inode -e '^/dev/' -e \"$TMPDIR\"; echo end",
    ]);
    expect(texts[0]).toBe("end");
    expect(readFileSync(join(bed.state, "runs", "run_other.1", "secret"), "utf8")).toBe("secret-of-another-run");
  });
});
