/** Amounts of money, in US dollars. */
import { z } from "zod";

/** Fractions of a cent count: a run may last for seconds. */
const DECIMALS = 6;

/** To a millionth of a dollar. */
export function roundDollars(amount: number): number {
  return Number(amount.toFixed(DECIMALS));
}

/** Whatever was added up on its way here, it has at most six decimals. */
export const dollarsSchema = z.number().min(0).overwrite(roundDollars);
