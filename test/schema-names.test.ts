/** The API's document knows a schema by its id alone: of two with one id it would describe one, and both calls with it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const ids = ["protocol", "worker"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [
      ...readFileSync(join(ROOT, folder, file), "utf8").matchAll(/\.meta\(\{\s*id: "([A-Z][A-Za-z]*)"/g),
    ])
    .map(([, id = ""]) => id),
);

it("each schema of the API's document has an id of its own", () => {
  expect(ids.length).toBeGreaterThan(50);
  expect(ids.filter((id, place) => ids.indexOf(id) !== place)).toEqual([]);
});
