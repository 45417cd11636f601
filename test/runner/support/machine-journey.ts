/** What of the machine itself an agent can reach, tried with its own tool calls. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bed, bash, endless, noSandbox } from "./bed.ts";
import { processesWith } from "./processes.ts";
import { until } from "./until.ts";
import type { Way } from "./ways.ts";

/** Perl knows System V IPC by itself; a POSIX queue is a call of the kernel's. */
const MQ_OPEN = process.arch === "arm64" ? 180 : 240;
const SETHOSTNAME = process.arch === "arm64" ? 161 : 170;
const O_CREAT = 0o100;
const KEY = 0x5eed_0000 + (process.pid % 0xffff);
const QUEUE = `reveille-test-${process.pid}`;
const perl = (script: string) => execFileSync("perl", ["-e", script], { encoding: "utf8" }).trim();
const lookForIpc = [
  `print "shm=", (defined shmget(${KEY}, 0, 0) ? "found" : "none")`,
  `print " msg=", (defined msgget(${KEY}, 0) ? "found" : "none")`,
  `print " sem=", (defined semget(${KEY}, 0, 0) ? "found" : "none")`,
  `my $q = "${QUEUE}"; print " mq=", (syscall(${MQ_OPEN}, $q, 0, 0, 0) >= 0 ? "found" : "none")`,
].join("; ");

/** What counts for the sandbox's own namespaces alone: its users, its IPC, its processes' numbers. */
const OWN_SETTINGS = "^/proc/sys/(user/|fs/mqueue/|kernel/(ns_last_pid|auto_msgmni|msg[a-z_]+|sem|shm[a-z_]+)$)";

/** @param ways each has a runner of its own. */
export function machineJourney(ways: readonly Way[]): void {
  beforeAll(() => {
    perl(`shmget(${KEY}, 4096, 01666) // die; msgget(${KEY}, 01666) // die; semget(${KEY}, 1, 01666) // die`);
    perl(`my $q = "${QUEUE}"; syscall(${MQ_OPEN}, $q, ${O_CREAT} | 2, 0666, 0) >= 0 or die`);
    expect(perl(lookForIpc)).toBe("shm=found msg=found sem=found mq=found");
  });
  afterAll(() => {
    perl(`shmctl(shmget(${KEY}, 0, 0), 0, 0); msgctl(msgget(${KEY}, 0), 0, 0); semctl(semget(${KEY}, 0, 0), 0, 0, 0)`);
    perl(`my $q = "${QUEUE}"; syscall(${MQ_OPEN + 1}, $q)`);
  });

  describe.skipIf(noSandbox !== null).each(ways)("in a sandbox of $name runner an agent", ({ options, isUserZero }) => {
    let bed: Bed;
    beforeAll(async () => {
      bed = await Bed.make({}, options);
    });
    afterAll(() => bed.close());

    async function asAgent(...commands: string[]): Promise<string[]> {
      const run = bed.run([...commands.map((command) => bash(command)), "Done."]);
      expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
      expect(run.stored.map(({ body }) => body)).toContainEqual({ kind: "running", sandbox: "sandbox-runtime" });
      return run.events.flatMap((event) => (event.type === "tool.result" ? [event.text] : []));
    }

    it("reaches no setting of the kernel, no memory and no name of the host's, and nothing of another run", async () => {
      const mark = `marked-${crypto.randomUUID()}`;
      const other = bed.run([
        bash(`(setsid -f bash -c '${endless(mark)}' &) >/dev/null 2>&1; touch ~/seen`),
        bash(endless(`other-${mark}`)),
      ]);
      const alive = () => processesWith(mark).filter((line) => line.split(" ")[1] === mark);
      const before = await until(
        "both run",
        () => processesWith(`other-${mark}`).length > 0 && alive().length === 1 && alive(),
      );
      const folder = bed.folderOf(other);
      const settings = "find /proc/sys -type f -print";
      // Opened for writing, and closed again: nothing is written.
      const opened = `perl -ne 'chomp; print "$_\\n" if sysopen(my $file, $_, 1)'`;
      const [sys, core, secret, ipc, name, folders, shm, sizes, account, seen] = await asAgent(
        `${settings} | ${opened} | grep -vE '${OWN_SETTINGS}'; echo looked at $(${settings} | wc -l)`,
        // Whoever tries this on a runner that is not shut tight changes the machine: opening says as much as writing.
        "(: >> /proc/sys/kernel/core_pattern) && echo opened; echo end",
        "cat /proc/slabinfo /proc/vmallocinfo /proc/kpagecount /proc/timer_list 2>/dev/null | wc -c; find /sys -writable -type f -print -quit",
        `perl -e '${lookForIpc}'`,
        `hostname; getent hosts "$(hostname)" | wc -l; perl -e 'my $n = "other"; print syscall(${SETHOSTNAME}, $n, 5) < 0 ? "kept\\n" : "changed\\n"'; cat /proc/self/cgroup | grep -c '[.][.]'`,
        'for folder in / /etc /var /dev /home /proc/sys /sys /usr; do echo x > "$folder/fill" && echo "$folder"; done 2>/dev/null; echo end',
        "head -c 80000000 /dev/zero > /dev/shm/fill; stat -c %s /dev/shm/fill; rm /dev/shm/fill",
        "df -B1 --output=size /dev/shm /tmp | tail -2 | tr -s ' \\n' ' '",
        "whoami; node -e 'console.log(require(\"node:os\").userInfo().uid)'; cat /proc/self/oom_score_adj; ulimit -c",
        `grep -l '${mark.slice(0, -1)}[${mark.at(-1)}]' /proc/[0-9]*/cmdline; ls '${folder}' 2>/dev/null; echo end`,
      );
      expect(sys).toMatch(/^looked at [1-9][0-9]{2,}$/);
      expect(core).toMatch(/(Read-only file system|Permission denied)\nend$/);
      expect(secret).toBe("0");
      expect(ipc).toBe("shm=none msg=none sem=none mq=none");
      expect(name).toBe(`localhost\n1\nkept\n0`);
      if (hostname() !== "localhost") expect(name).not.toContain(hostname());
      expect(folders).toBe("end");
      expect(shm).toMatch(/No space left on device[\s\S]*\n67108864$/);
      expect(sizes?.trim()).toBe("67108864 268435456");
      const [user, uid, ...rest] = account?.split("\n") ?? [];
      expect(user).toBe(isUserZero ? "root" : "agent");
      expect(uid === "0").toBe(isUserZero);
      expect(rest).toEqual(["1000", "0"]);
      expect(seen).toBe("end");
      expect(alive()).toEqual(before);
      other.cancel();
      expect((await other.finished()).outcome).toEqual({ status: "canceled" });
      expect(processesWith(mark)).toEqual([]);
      await until("its folder is gone", () => !existsSync(folder));
    });

    it("is said to be another user than root, or why not", async () => {
      const { folder } = await bed.spare();
      const said = bed.runner
        .output()
        .split("\n")
        .find((line) => line.includes('"spare_ready"') && line.includes(folder.split("/").at(-1) ?? ""));
      const facts = JSON.parse(said ?? "{}");
      expect(facts).toMatchObject({ sandbox: "sandbox-runtime" });
      expect(facts.user === 0).toBe(isUserZero);
      expect(facts.level).toBe(isUserZero ? "warn" : "info");
      expect("no_other_user" in facts).toBe(isUserZero);
    });
  });
}
