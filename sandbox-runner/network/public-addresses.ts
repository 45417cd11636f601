/** Which addresses a run may be led to: those of the public internet, and none of this machine or of the networks it is in. */
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";

/** Not of the public internet, by IANA's registry of special-purpose addresses. */
const SPECIAL_IPV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];
/** All that is given out so far lies in this; of it these are not public, or lead to an address of version 4. */
const GLOBAL_IPV6 = "2000::/3";
const SPECIAL_IPV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

const special = blocks(SPECIAL_IPV4, SPECIAL_IPV6);
const global = blocks([], [GLOBAL_IPV6]);

/**
 * @param address in digits, as a resolver gives it: a zone makes it none.
 * @param own addresses of this machine, whose services are as little meant for a run as those of its network.
 */
export function isPublicAddress(address: string, own: ReadonlySet<string> = ownAddresses()): boolean {
  if (own.has(address)) return false;
  switch (isIP(address)) {
    case 4:
      return !special.check(address, "ipv4");
    case 6:
      return !address.includes("%") && global.check(address, "ipv6") && !special.check(address, "ipv6");
    default:
      return false;
  }
}

function ownAddresses(): Set<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => address));
}

function blocks(version4: readonly string[], version6: readonly string[]): BlockList {
  const list = new BlockList();
  for (const [cidrs, family] of [[version4, "ipv4"] as const, [version6, "ipv6"] as const]) {
    for (const cidr of cidrs) {
      const [net = "", bits] = cidr.split("/");
      list.addSubnet(net, Number(bits), family);
    }
  }
  return list;
}
