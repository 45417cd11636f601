/** Which routines D1 has, by the key that all ids of a routine have in them. */

const HAS_OWNER = "SELECT 1 FROM routines WHERE owner_key = ?";

/** @param ownerKey 12 characters: see `ownerKeyOf`. */
export async function hasOwner(binding: D1Database, ownerKey: string): Promise<boolean> {
  return (await binding.prepare(HAS_OWNER).bind(ownerKey).first()) !== null;
}
