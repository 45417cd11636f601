/** The name under which the agent's program records a session. Pure. */

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** The same UUID for every run of a session, made of the id's own digits: nothing has to be stored to know it. */
export function sdkSessionId(sessionId: string): string {
  const digits = sessionId.slice(sessionId.indexOf("_") + 1);
  const value = [...digits].reduce((sum, digit) => sum * 32n + BigInt(ALPHABET.indexOf(digit)), 0n);
  // A UUID has 122 bits beside those that name its form. Left out are the highest of the id's time, which only tell years apart.
  const hex = (value & ((1n << 122n) - 1n)).toString(16).padStart(31, "0");
  const variant = (0x8 | Number.parseInt(hex.slice(0, 1), 16)).toString(16);
  return [
    hex.slice(1, 9),
    hex.slice(9, 13),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(16, 19)}`,
    hex.slice(19, 31),
  ].join("-");
}
