/** Which names can be hosts of the internet. Pure. */

/** The longest name that DNS knows. */
const NAME_LENGTH = 253;
/** Labels with a dot between them, the last of them beginning with a letter: no address in any spelling, no single word. */
const DOTTED_NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;
/** Names under these are a network's own: what they lead to is never meant for a run. */
const PRIVATE_ZONES = [
  "internal",
  "local",
  "localhost",
  "localdomain",
  "home.arpa",
  "lan",
  "intranet",
  "private",
  "corp",
  "svc",
];

/** Whether a name can be one of the public DNS: whatever a policy allows, addresses and names of a private network are none. */
export function isPublicName(hostname: string): boolean {
  if (hostname.length > NAME_LENGTH || !DOTTED_NAME.test(hostname)) return false;
  return !PRIVATE_ZONES.some((zone) => hostname.endsWith(`.${zone}`));
}
