/** Pure: whether an address in an agent's text becomes a link. */

const PROTOCOLS = ["http:", "https:", "mailto:"];

/** @returns the address as it is followed; null for everything that is not plainly one of the web or of mail. */
export function linkAddress(address: string | undefined): string | null {
  if (address === undefined || !/^(?:https?:\/\/|mailto:)/i.test(address) || !URL.canParse(address)) return null;
  const { protocol, href } = new URL(address);
  return PROTOCOLS.includes(protocol) ? href : null;
}
