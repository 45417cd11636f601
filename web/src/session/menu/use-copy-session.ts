/** Puts the whole transcript on the clipboard. */
import { useEffect } from "react";
import type { Session } from "#protocol/session.ts";
import { readSession } from "../../client/generated.ts";
import { useWrite } from "../../write.ts";
import type { ReadEvents } from "../read-events.ts";

const SAID_FOR_MS = 2_400;

export function useCopySession({ id }: Session, readEvents: ReadEvents) {
  const { mutate, reset, isPending, isSuccess, error } = useWrite({
    mutationFn: async () => {
      const text = writeAll(id, readEvents);
      // Browsers let a page write in answer to a click alone: the text may come later than that.
      const item = new ClipboardItem({ "text/plain": text.then((all) => new Blob([all], { type: "text/plain" })) });
      // What the transcript could not be read for says more than that nothing was written.
      await Promise.all([text, navigator.clipboard.write([item])]);
    },
  });
  useEffect(() => {
    if (!isSuccess) return;
    const timer = setTimeout(reset, SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [isSuccess, reset]);
  return { copy: () => mutate(), isCopying: isPending, isCopied: isSuccess, error };
}

async function writeAll(id: string, readEvents: ReadEvents): Promise<string> {
  // What came while the page is open counts too.
  const [{ title, last_seq: lastSeq }, { sessionMarkdown }] = await Promise.all([
    readSession(id),
    import("./session-markdown.ts"),
  ]);
  return await sessionMarkdown({ title, address: `${location.origin}/sessions/${id}`, lastSeq }, readEvents);
}
