/** What is mounted twice is never answered by the second, whatever somebody changes there. */
import { expect, it } from "vitest";
import { app } from "#worker/app.ts";

it("mounts each method of a path once", () => {
  // Entries for all methods are what requests pass through on their way.
  const mounted = app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`);
  expect(mounted.length).toBeGreaterThan(100);
  expect(mounted.filter((route, place) => mounted.indexOf(route) !== place)).toEqual([]);
});
