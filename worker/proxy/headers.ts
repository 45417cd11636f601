/** Pure: only headers on a list cross a proxy, in either direction. */

/** @param allowed lower-case names; one that ends with `*` allows every name that begins so. */
export function pickHeaders(from: Headers, allowed: readonly string[]): Headers {
  const picked = new Headers();
  for (const [name, value] of from) {
    const isAllowed = allowed.some((entry) =>
      entry.endsWith("*") ? name.startsWith(entry.slice(0, -1)) : name === entry,
    );
    if (isAllowed) picked.append(name, value);
  }
  return picked;
}

/** What of a git upstream's answer reaches the agent. */
export function gitAnswerHeaders(upstream: Headers): Headers {
  const headers = pickHeaders(upstream, ["content-type"]);
  headers.set("cache-control", "no-cache");
  return headers;
}
