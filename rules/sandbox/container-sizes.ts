/**
 * The sizes in which Cloudflare makes containers, and what they cost. Pure. Its tables, as of November 2026:
 * https://developers.cloudflare.com/containers/platform/limits/ and https://developers.cloudflare.com/containers/pricing/.
 */
import type { ContainerSize } from "#protocol/container-size.ts";
import { roundDollars } from "#protocol/money.ts";

const CONTAINER_SIZES = {
  lite: { vcpu: 1 / 16, memoryGib: 0.25, diskGb: 2 },
  basic: { vcpu: 1 / 4, memoryGib: 1, diskGb: 4 },
  "standard-1": { vcpu: 1 / 2, memoryGib: 4, diskGb: 8 },
  "standard-2": { vcpu: 1, memoryGib: 6, diskGb: 12 },
  "standard-3": { vcpu: 2, memoryGib: 8, diskGb: 16 },
  "standard-4": { vcpu: 4, memoryGib: 12, diskGb: 20 },
} as const satisfies Record<ContainerSize, object>;

/** US dollars for each second, beyond what a plan includes. */
const PRICES = { vcpu: 0.00002, memoryGib: 0.0000025, diskGb: 0.00000007 } as const;

/**
 * What a container costs at most, in US dollars: memory and disk by their whole size, as they are charged, and the processor as if
 * it had been busy all the time, while the platform charges what was used of it.
 */
export function containerCost(size: ContainerSize, seconds: number): number {
  const { vcpu, memoryGib, diskGb } = CONTAINER_SIZES[size];
  const perSecond = vcpu * PRICES.vcpu + memoryGib * PRICES.memoryGib + diskGb * PRICES.diskGb;
  return roundDollars(perSecond * seconds);
}
