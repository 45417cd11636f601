/** Which methods a path answers to: pure, from the routes that are mounted. */

interface MountedRoute {
  method: string;
  /** Hono's pattern: `/api/v1/routines/:id`. */
  path: string;
}

/** @returns the methods in alphabetical order; none when the path is unknown. */
export function methodsOf(routes: readonly MountedRoute[], path: string): string[] {
  const methods = routes
    .filter((route) => route.method !== "ALL" && matches(route.path, path))
    .map((route) => route.method);
  return [...new Set(methods)].sort();
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  return (
    wanted.length === given.length &&
    wanted.every((part, place) => (part.startsWith(":") ? given[place] !== "" : part === given[place]))
  );
}
