/** The other end of `Helper`: answers what is asked, and ends with the process that asks. */
import { messageOf } from "#scripts/outcome.ts";

/** @param face functions of one order each; their answers cross as JSON. */
export function serveHelper(face: Record<string, (order: never) => unknown>): void {
  process.on("message", async ({ id, name, order }: { id: number; name: string; order: never }) => {
    try {
      process.send?.({ id, ok: true, value: (await face[name]?.(order)) ?? null });
    } catch (error) {
      process.send?.({ id, ok: false, message: messageOf(error) });
    }
  });
  process.on("disconnect", () => process.exit());
}
