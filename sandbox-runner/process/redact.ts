/** Takes secrets out of every frame, delta and log line before it leaves the runner. */

const MARK = "[redacted]";
/** Shorter texts are no secrets, and replacing them would spoil ordinary words. */
const SHORTEST_SECRET = 8;

export class Redactor {
  readonly #secrets: string[];

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.filter((secret) => secret.length >= SHORTEST_SECRET).sort((a, b) => b.length - a.length);
  }

  text(text: string): string {
    return this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, MARK), text);
  }

  /** A copy of a JSON value with every text scrubbed, keys included; the value itself when nothing was found. */
  value<Value>(value: Value): Value {
    if (!this.#holdsSecret(JSON.stringify(value))) return value;
    return this.#scrub(value) as Value;
  }

  /** For text that comes in pieces. */
  stream(): RedactedStream {
    return new RedactedStream(this, this.#secrets);
  }

  #holdsSecret(json: string): boolean {
    return this.#secrets.some((secret) => json.includes(JSON.stringify(secret).slice(1, -1)));
  }

  #scrub(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#scrub(item));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.text(key), this.#scrub(item)]));
  }
}

/** Scrubs a text that comes in pieces: an end that may be a secret's beginning is held back for the next piece. */
export class RedactedStream {
  readonly #redactor: Redactor;
  readonly #secrets: readonly string[];
  #held = "";

  constructor(redactor: Redactor, secrets: readonly string[]) {
    this.#redactor = redactor;
    this.#secrets = secrets;
  }

  /** @returns what may be shown so far; may be empty. */
  push(piece: string): string {
    const text = this.#redactor.text(this.#held + piece);
    const keep = Math.max(0, ...this.#secrets.map((secret) => overlap(text, secret)));
    this.#held = text.slice(text.length - keep);
    return text.slice(0, text.length - keep);
  }
}

/** How many characters at the end of `text` are a proper beginning of `secret`. */
function overlap(text: string, secret: string): number {
  for (let length = Math.min(text.length, secret.length - 1); length > 0; length -= 1) {
    if (text.endsWith(secret.slice(0, length))) return length;
  }
  return 0;
}
