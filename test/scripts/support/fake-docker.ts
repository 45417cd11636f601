/**
 * A stand-in for the `docker` program, as far as wrangler 4.164.0 asks it to build, tag and push an image. Writes down what it
 * was asked, in the folder that DOCKER_FAKE_FOLDER names; fails at the command that the file `fails` there names. Builds nothing.
 */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const folder = process.env["DOCKER_FAKE_FOLDER"] ?? ".";
const words = process.argv.slice(2);
const pushed = path.join(folder, "pushed.json");
appendFileSync(path.join(folder, "asked.ndjson"), `${JSON.stringify(words)}\n`);

const failing = path.join(folder, "fails");
if (existsSync(failing) && words[0] === readFileSync(failing, "utf8").trim()) {
  process.stderr.write(`the stand-in's ${words[0]} fails\n`);
  process.exit(1);
}

const [command, what, tag = ""] = words;
if (command === "build" || command === "login") readFileSync(0);
if (command === "push") writeFileSync(pushed, JSON.stringify(what));
if (command === "info") process.stdout.write("27.0.0\n");
if (command === "image" && what === "inspect") process.stdout.write(`${inspect(tag, words.at(-1) ?? "")}\n`);

function inspect(image: string, format: string): string {
  if (format.includes("RepoDigests")) return JSON.stringify(digestsOf(image));
  return format.includes("Size") ? "100000000 3" : "";
}

function digestsOf(image: string): string[] {
  const isPushed = existsSync(pushed) && JSON.parse(readFileSync(pushed, "utf8")) === image;
  return isPushed
    ? [`${image.replace(/:[^:/]*$/, "")}@sha256:${createHash("sha256").update(image).digest("hex")}`]
    : [];
}
