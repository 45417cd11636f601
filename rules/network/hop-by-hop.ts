/** Headers that belong to one connection, not to the message: whoever passes a message on leaves them out. */

/** In lower case. `Expect` was answered when the request came. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * @param connection the values of `Connection`, which names further headers of this connection.
 * @returns whether a header is to go on; `Host` is not, for the next connection has its own.
 */
export function endToEnd(connection: readonly string[]): (name: string) => boolean {
  const named = new Set(connection.flatMap((value) => value.split(",")).map((name) => name.trim().toLowerCase()));
  return (name) => {
    const lower = name.toLowerCase();
    return lower !== "host" && !HOP_BY_HOP.has(lower) && !named.has(lower);
  };
}
