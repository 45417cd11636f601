/** Which methods a path answers to: pure, from the routes that are mounted. */

interface MountedRoute {
  method: string;
  /** Hono's pattern: `/api/v1/routines/:id`. */
  path: string;
}

/** @returns the methods in alphabetical order; none when the path is unknown. */
export function methodsOf(routes: readonly MountedRoute[], path: string): string[] {
  const matching = routes.filter((route) => route.method !== "ALL" && matches(route.path, path));
  // `/routines/validate` is a path of its own, though `/routines/:id` matches it too.
  const fewest = Math.min(...matching.map(parameters));
  const methods = matching.filter((route) => parameters(route) === fewest).map((route) => route.method);
  return [...new Set(methods)].sort();
}

function parameters({ path }: MountedRoute): number {
  return path.split("/").filter((part) => part.startsWith(":")).length;
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  return (
    wanted.length === given.length &&
    wanted.every((part, place) => (part.startsWith(":") ? given[place] !== "" : part === given[place]))
  );
}
