/** A deploy from an empty account on: real wrangler, and stand-ins for Cloudflare and Docker (*documented*: support/fake-cloudflare.ts). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { DeployBed } from "./support/deploy-bed.ts";
import { until } from "./support/until.ts";

const NO_ENGINE = { WRANGLER_DOCKER_BIN: "/nowhere/docker" };
const KEY = "sk-ant-key-of-the-tests-0123456789";
/** What makes something that was not there. */
const MAKES = /^POST \/(d1\/database|r2\/buckets|queues|containers\/applications|queues\/[^/]+\/consumers)$/;

describe("a deploy", () => {
  let bed: DeployBed;
  before(async () => {
    bed = await DeployBed.open("deploy");
  });
  after(() => bed.close());

  it("finds a stand-in that outlives a caller who goes away in the middle of a body", async () => {
    const { port } = new URL(bed.cloudflare.origin);
    const caller = connect(Number(port), "127.0.0.1");
    caller.end("POST /client/v4/upload HTTP/1.1\r\nhost: api\r\ncontent-length: 100\r\n\r\nhalf");
    await once(caller.resume(), "close");
  });

  it("that is dry tells the plan, and changes nothing", async () => {
    const dry = await bed.deploy(["--dry-run"]);
    assert.equal(dry.code, 0, dry.said);
    assert.match(dry.said, /Make the D1 database/);
    assert.match(dry.said, /Dry run: nothing has been changed\.\n$/);
    assert.deepEqual(bed.cloudflare.changes, []);
    const signedOut = await bed.deploy(["--dry-run"], { CLOUDFLARE_API_TOKEN: "" });
    assert.equal(signedOut.code, 0, signedOut.said);
    assert.match(signedOut.said, /npx wrangler login.*plan for an empty account/s);
  });

  it("without credentials says how to sign in, and changes nothing", async () => {
    const { code, said } = await bed.deploy([], { CLOUDFLARE_API_TOKEN: "" });
    assert.equal(code, 1);
    assert.match(said, /Nothing has been changed\. .*npx wrangler login.*CLOUDFLARE_API_TOKEN/s);
    const wrong = await bed.deploy([], { CLOUDFLARE_API_TOKEN: "another" });
    assert.equal(wrong.code, 1);
    assert.match(wrong.said, /Authentication error.*permission "Account Settings: Read"/s);
  });

  it("with a value that the worker would refuse changes nothing", async () => {
    const { code, said } = await bed.deploy([], { FIRE_BURST: "-1", OWNER_TOKEN: "short" });
    assert.equal(code, 1);
    assert.match(said, /Nothing has been changed.*OWNER_TOKEN must be at least 32 characters.*FIRE_BURST/s);
    assert.deepEqual(bed.cloudflare.changes, []);
  });

  it("into an empty account makes all that an instance needs, in one version", async () => {
    const { code, said } = await bed.deploy([], { ANTHROPIC_API_KEY: KEY });
    assert.equal(code, 0, said);
    const { account, origin } = bed.cloudflare;
    const version = account.deployed;
    assert.ok(version);
    assert.equal(account.versions.length, 1);
    const made = await bed.secrets();
    assert.deepEqual(Object.fromEntries(version.secrets), { ...made, ANTHROPIC_API_KEY: KEY });
    assert.deepEqual(Object.keys(made).sort(), ["OWNER_TOKEN", "RUNNER_TOKEN", "SIGNING_KEY"]);
    const [database] = account.databases.values();
    const tables = database?.sql.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    assert.ok(tables?.some((table) => table["name"] === "routines"));
    assert.deepEqual([...account.queues.keys()], [`${bed.name}-clock`, `${bed.name}-usage`]);
    for (const { consumers } of account.queues.values()) assert.equal(consumers.length, 1);
    assert.deepEqual(account.schedules, [{ cron: "* * * * *" }]);
    assert.match(said, new RegExp(`${origin}/#code=`));
    assert.ok(!said.includes("model's key"), said);
  });

  it("pins the image that it has built and pushed by its digest", async () => {
    const calls = await bed.takeDockerCalls();
    const build = calls.find(([command]) => command === "build");
    const push = calls.find(([command]) => command === "push");
    assert.equal(build?.at(-1), path.join(import.meta.dirname, "..", ".."));
    assert.ok(push?.[1]?.startsWith("registry.cloudflare.com/"));
    const { deployed } = bed.cloudflare.account;
    const containers = deployed?.metadata["containers"] as { images: { runner: string } }[] | undefined;
    assert.match(containers?.[0]?.images.runner ?? "", /^registry\.cloudflare\.com\/.*@sha256:[0-9a-f]{64}$/);
    assert.equal(deployed?.bindings.find(({ name }) => name === "CONTAINERS")?.text, "10");
  });

  it("keeps what it has made for its owner's eyes", async () => {
    const names = await readdir(bed.folder);
    assert.deepEqual(
      names.filter((name) => name.startsWith("to-give")),
      [],
    );
    for (const name of ["secrets.json", "runner-token"]) {
      assert.equal((await stat(path.join(bed.folder, name))).mode & 0o777, 0o600, name);
    }
    assert.ok(!(await readFile(path.join(bed.folder, "wrangler.json"), "utf8")).includes(KEY));
  });

  it("once more makes nothing twice, and changes no secret", async () => {
    const { account, changes } = bed.cloudflare;
    const before = account.deployed;
    changes.length = 0;
    const { code, said } = await bed.deploy([], { CLOUDFLARE_ENV: "staging" });
    assert.equal(code, 0, said);
    const uploads = changes.filter((change) => /^PUT \/workers\/scripts\/[^/]+$/.test(change));
    assert.deepEqual(uploads, [`PUT /workers/scripts/${bed.name}`]);
    assert.deepEqual(
      changes.filter((change) => MAKES.test(change)),
      [],
    );
    assert.notEqual(account.deployed?.id, before?.id);
    assert.deepEqual(account.deployed?.secrets, before?.secrets);
  });

  it("from a machine without an engine leaves the containers that are deployed", async () => {
    const before = bed.cloudflare.account.deployed;
    const { code, said } = await bed.deploy([], NO_ENGINE);
    assert.equal(code, 0, said);
    assert.match(said, /stays the one that is deployed: there is no container engine here/);
    const { deployed } = bed.cloudflare.account;
    assert.deepEqual(deployed?.metadata["containers"], before?.metadata["containers"]);
    assert.equal(deployed?.bindings.find(({ name }) => name === "CONTAINERS")?.text, "10");
  });

  it("that is told to end in the middle leaves no secret and no program behind, and is done by the next", async () => {
    const before = bed.cloudflare.account.deployed?.id;
    // By Ctrl-C, and by the terminal that is closed.
    for (const by of ["SIGINT", "SIGHUP"] as const) {
      bed.cloudflare.changes.length = 0;
      const end = { at: /assets-upload-session$/, by };
      const ended = await bed.deploy([], { ...NO_ENGINE, ANTHROPIC_API_KEY: KEY }, end);
      assert.equal(ended.code, 130, ended.said);
      // They are killed as the deploy ends, which takes effect a moment later.
      await until("the end of all that it had started", 10_000, async () => (await bed.running()).length === 0);
      assert.ok(!(await readdir(bed.folder)).includes("to-give.json"));
    }
    const runnerToken = `rvl_runner_${"9".repeat(64)}`;
    const given = { ANTHROPIC_API_KEY: KEY, RUNNER_TOKEN: runnerToken };
    const { code, said } = await bed.deploy([], { ...NO_ENGINE, ...given });
    assert.equal(code, 0, said);
    assert.notEqual(bed.cloudflare.account.deployed?.id, before);
    // The one in force is what the next deploy, which is not given it, tells runners.
    assert.equal((await bed.secrets())["RUNNER_TOKEN"], runnerToken);
  });

  it("shows no secret, in no output and in no argument of any process", async () => {
    const { said } = await bed.deploy(["--dry-run"], { ANTHROPIC_API_KEY: KEY });
    const seen = [said, ...bed.arguments];
    assert.ok(
      [...bed.arguments].some((words) => words.includes("--secrets-file")),
      "wrangler's arguments were seen",
    );
    for (const secret of [KEY, ...Object.values(await bed.secrets())]) {
      assert.ok(!seen.some((text) => text.includes(secret)));
    }
  });
});

describe("a deploy whose steps fail one after the other", () => {
  let bed: DeployBed;
  before(async () => {
    bed = await DeployBed.open("failing");
  });
  after(() => bed.close());

  const refused = {
    status: 400,
    error: { code: 10_042, message: "Please enable R2 through the Cloudflare Dashboard." },
  };
  const cases: [what: string, when: RegExp, message: RegExp][] = [
    ["the database", /^POST \/d1\/database$/, /refuses POST .*d1\/database.*Please enable/s],
    ["the bucket", /^POST \/r2\/buckets$/, /refuses POST .*r2\/buckets.*Please enable/s],
    ["the queues", /^POST \/queues$/, /refuses POST .*queues.*Please enable/s],
    ["the schema", /\/query$/, /wrangler says: .*\/query.*Please enable/s],
    ["the code", /^PUT \/workers\/scripts\/[^/]+$/, /wrangler says: .*workers\/scripts/s],
  ];

  for (const [what, when, message] of cases) {
    it(`says what is wrong with ${what}, and replaces nothing`, async () => {
      bed.cloudflare.trouble = { when, answer: refused };
      const { code, said } = await bed.deploy([], NO_ENGINE);
      bed.cloudflare.trouble = null;
      assert.equal(code, 1, said);
      assert.match(said, message);
      assert.match(
        said,
        /Nothing is served yet\. When it is mended, run the same command again: it goes on from here\.\n$/,
      );
      assert.equal(bed.cloudflare.account.deployed, null);
    });
  }

  it("goes on from there to the end, and has made everything once", async () => {
    const { code, said } = await bed.deploy([], NO_ENGINE);
    assert.equal(code, 0, said);
    assert.match(said, /runs are left to your own runners \(no container engine answers/);
    // What is still to do is told for this instance, not for the first one.
    assert.ok(said.includes(`into .deploy.${bed.name}.vars`), said);
    assert.ok(said.includes(`doctor -- --url ${bed.cloudflare.origin};`), said);
    const made = bed.cloudflare.changes
      .filter((change) => MAKES.test(change))
      .map((change) => change.replace(/[0-9a-f]{32}/, "ID"));
    assert.deepEqual(made.sort(), [
      "POST /d1/database",
      "POST /queues",
      "POST /queues",
      "POST /queues/ID/consumers",
      "POST /queues/ID/consumers",
      "POST /r2/buckets",
    ]);
    assert.deepEqual(Object.fromEntries(bed.cloudflare.account.deployed?.secrets ?? []), await bed.secrets());
  });

  it("leaves the version that serves when the image can't be pushed", async () => {
    const before = bed.cloudflare.account.deployed?.id;
    await bed.failDocker("push");
    const { code, said } = await bed.deploy();
    await bed.failDocker(null);
    assert.equal(code, 1, said);
    assert.match(said, /What was deployed goes on serving/);
    assert.equal(bed.cloudflare.account.deployed?.id, before);
  });

  it("takes no domain from another worker, nor from records of its own", async () => {
    const { account, changes } = bed.cloudflare;
    account.domains.push({ hostname: "www.example.com", service: "shop" });
    changes.length = 0;
    const other = await bed.deploy(["--domain", "www.example.com"], NO_ENGINE);
    assert.equal(other.code, 1, other.said);
    assert.match(other.said, /Nothing has been changed.*www\.example\.com leads to the worker shop/s);
    assert.deepEqual(changes, []);
    const answer = { status: 409, error: { code: 100_117, message: "already has externally managed DNS records" } };
    bed.cloudflare.trouble = { when: /^PUT .*domains/, answer };
    // With a domain an account needs no name at workers.dev.
    account.subdomain = null;
    const { code, said } = await bed.deploy(["--domain", "free.example.com"], NO_ENGINE);
    account.subdomain = "acme";
    bed.cloudflare.trouble = null;
    assert.equal(code, 1, said);
    assert.match(said, /externally managed DNS records.*The new version serves/s);
    assert.deepEqual(account.domains, [{ hostname: "www.example.com", service: "shop" }]);
  });

  it("tells that the new version serves when something after its upload fails", async () => {
    bed.cloudflare.trouble = { when: /^PUT .*\/schedules$/, answer: refused };
    const { code, said } = await bed.deploy([], NO_ENGINE);
    bed.cloudflare.trouble = null;
    assert.equal(code, 1, said);
    assert.ok(
      said.includes(`The new version serves. \`npx wrangler rollback --name ${bed.name}\` brings the one before back`),
      said,
    );
  });
});
