/** Asks for an export, answer after answer, and gives its lines as they come. */

export interface AskedExport {
  url: string;
  token: string;
  /** One routine's id; null for all of them. */
  routine: string | null;
  /** The sign-in that lines have to name; null for all lines. */
  signIn: string | null;
  ask(url: string, init: RequestInit): Promise<Response>;
  pause(ms: number): Promise<unknown>;
}

/** The export is not whole, with words for people. @property status of the answer; null where it has another reason. */
export class Broken extends Error {
  readonly status: number | null;

  constructor(message: string, status: number | null) {
    super(message);
    this.status = status;
  }
}

/** How often an answer is asked for that the instance can't give just now. What has begun and breaks off is not asked for again: its lines have gone out. */
const TRIES = 5;
const PAUSE_MS = 2_000;

/** All lines but those that end an answer. @throws Broken when it is not whole. */
export async function* exportLines(asked: AskedExport): AsyncGenerator<string, void> {
  for (let cursor: string | null = ""; cursor !== null; ) cursor = yield* oneAnswer(asked, cursor);
}

/** @returns where the export goes on; null at its end. */
async function* oneAnswer(asked: AskedExport, cursor: string): AsyncGenerator<string, string | null> {
  const body = await begun(asked, cursor);
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const next = endOf(line);
      if (next !== undefined) return next;
      yield line;
    }
  }
  throw new Broken("The export broke off: its last line is missing.", null);
}

async function begun(asked: AskedExport, cursor: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  for (let tries = 1; ; tries += 1) {
    const answer = await asked.ask(addressOf(asked, cursor), { headers: { authorization: `Bearer ${asked.token}` } });
    if (answer.ok && answer.body !== null) return answer.body;
    const text = (await answer.text()).slice(0, 500);
    if (answer.status < 500 || tries >= TRIES)
      throw new Broken(`The instance answers ${answer.status}: ${text}`, answer.status);
    await asked.pause(PAUSE_MS);
  }
}

function addressOf({ url, routine, signIn }: AskedExport, cursor: string): string {
  const address = new URL(
    routine === null ? `${url}/api/v1/export` : `${url}/api/v1/routines/${encodeURIComponent(routine)}/export`,
  );
  if (cursor !== "") address.searchParams.set("cursor", cursor);
  if (signIn !== null) address.searchParams.set("sign_in", signIn);
  return address.href;
}

/** Undefined for a line that is not the last. */
function endOf(line: string): string | null | undefined {
  if (!line.startsWith('{"type":"end"')) return undefined;
  return (JSON.parse(line) as { next_cursor: string | null }).next_cursor;
}
