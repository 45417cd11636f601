/**
 * Ids: a prefix that tells the kind, then 26 characters of Crockford's base 32.
 *
 * The 26 characters are 9 of time (45 bits of milliseconds, good until the year 3084), 12 of owner key (60 random
 * bits, drawn once per routine) and 5 of serial. An id therefore sorts by time and tells which routine's object owns
 * the thing, so that nothing has to be looked up in an index before it can be read.
 */
import { z } from "zod";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_LENGTH = 9;
const OWNER_LENGTH = 12;
const SERIAL_LENGTH = 5;
const SERIAL_LIMIT = 32 ** SERIAL_LENGTH;

const PREFIXES = {
  routine: "rtn_",
  trigger: "trg_",
  occurrence: "occ_",
  run: "run_",
  session: "session_",
  delivery: "dlv_",
  sign_in: "sgn_",
  environment: "env_",
  notification: "ntf_",
  connector: "con_",
} as const;

export type IdKind = keyof typeof PREFIXES;
const KINDS = Object.keys(PREFIXES) as IdKind[];

function idSchema<Kind extends IdKind>(kind: Kind) {
  return z
    .string()
    .regex(new RegExp(`^${PREFIXES[kind]}[0-9A-HJKMNP-TV-Z]{26}$`), `must be "${PREFIXES[kind]}" and 26 characters`)
    .meta({ id: `${pascalCase(kind)}Id`, description: `The id of a ${kind.replace("_", "-")}; opaque.` });
}

function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|_)([a-z])/g, (_, first: string) => first.toUpperCase());
}

export const routineIdSchema = idSchema("routine");
export const triggerIdSchema = idSchema("trigger");
export const occurrenceIdSchema = idSchema("occurrence");
export const runIdSchema = idSchema("run");
export const sessionIdSchema = idSchema("session");
/** Belongs to the instance: its owner key means nothing. */
export const deliveryIdSchema = idSchema("delivery");
/** Likewise. */
export const signInIdSchema = idSchema("sign_in");
/** Likewise. */
export const environmentIdSchema = idSchema("environment");
export const notificationIdSchema = idSchema("notification");
export const connectorIdSchema = idSchema("connector");

/** An id in whose name an object is asked, and which it compares with what it owns before anything else. */
export type OwnedId = string & { readonly inNameOf: unique symbol };

/** A source of random bytes, for instance `crypto.getRandomValues`. */
export type RandomBytes = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

/** Draws the key of a new routine: 12 characters. */
export function drawOwnerKey(random: RandomBytes): string {
  return Array.from(random(new Uint8Array(OWNER_LENGTH)), (byte) => ALPHABET[byte % 32]).join("");
}

const ID = /^([a-z]+_)([0-9A-HJKMNP-TV-Z]{26})$/;

/**
 * The owner key inside an id of any kind, or null when the text is not an id of ours. It tells where to ask, and no more:
 * whether the thing is there, only the whole id tells.
 */
export function ownerKeyOf(id: string): string | null {
  return kindOf(id) === null ? null : id.slice(-OWNER_LENGTH - SERIAL_LENGTH, -SERIAL_LENGTH);
}

/** What an id names, or null when the text is not an id of ours. */
export function kindOf(id: string): IdKind | null {
  const prefix = ID.exec(id)?.[1];
  return KINDS.find((kind) => PREFIXES[kind] === prefix) ?? null;
}

/** The moment at which an id was made, in Unix milliseconds. */
export function timeOf(id: string): number {
  const body = id.slice(id.indexOf("_") + 1);
  return [...body.slice(0, TIME_LENGTH)].reduce((sum, digit) => sum * 32 + ALPHABET.indexOf(digit), 0);
}

/** Ids of this kind that are as large or larger were made at this moment or later. @param ms Unix milliseconds. */
export function firstIdAt(kind: IdKind, ms: number): string {
  return `${PREFIXES[kind]}${encode(Math.max(0, Math.min(ms, 32 ** TIME_LENGTH - 1)), TIME_LENGTH)}`;
}

function encode(value: number, length: number): string {
  let text = "";
  for (let rest = value; text.length < length; rest = Math.floor(rest / 32)) text = `${ALPHABET[rest % 32]}${text}`;
  return text;
}

/** Makes ids for one owner, each greater than the one before, also within a millisecond and when the clock steps back. */
export class IdMaker {
  readonly #ownerKey: string;
  readonly #random: RandomBytes;
  #time = 0;
  #serial = 0;

  constructor(ownerKey: string, random: RandomBytes) {
    this.#ownerKey = ownerKey;
    this.#random = random;
  }

  /** @param now Unix milliseconds. */
  make(kind: IdKind, now: number): string {
    if (now > this.#time) {
      this.#time = now;
      const [high = 0, middle = 0, low = 0] = this.#random(new Uint8Array(3));
      // Half of the range stays free for the ids that follow within this millisecond.
      this.#serial = ((high << 16) | (middle << 8) | low) % (SERIAL_LIMIT / 2);
    } else {
      this.#serial += 1;
      if (this.#serial >= SERIAL_LIMIT) {
        this.#time += 1;
        this.#serial = 0;
      }
    }
    return `${PREFIXES[kind]}${encode(this.#time, TIME_LENGTH)}${this.#ownerKey}${encode(this.#serial, SERIAL_LENGTH)}`;
  }
}
