/** An answer of JSON lines that is made as whoever reads it takes it. */
import { logTrouble } from "#protocol/log.ts";

export const JSON_LINES = "application/jsonl";

/**
 * @param parts lines, a few at a time; the next are asked for when these have been taken. Where they throw, the answer breaks
 * off. @param about of the request, for the log.
 */
export function jsonLines(
  parts: AsyncGenerator<object[], void>,
  file: string,
  about: { request_id: string; route: string },
): Response {
  const encoder = new TextEncoder();
  const lines = new ReadableStream(
    {
      pull: async (controller) => {
        try {
          const { value, done } = await parts.next();
          if (done) return controller.close();
          controller.enqueue(encoder.encode(value.map((line) => `${JSON.stringify(line)}\n`).join("")));
        } catch (error) {
          logTrouble("request_failed", about, error);
          controller.error(error);
        }
      },
      cancel: async () => void (await parts.return()),
    },
    { highWaterMark: 0 },
  );
  const headers = {
    "content-type": JSON_LINES,
    "content-disposition": `attachment; filename="${file}.jsonl"`,
    "cache-control": "no-store",
  };
  return new Response(lines, { headers });
}
