/** Copies an item of the transcript as Markdown. */
import { CopyButton } from "../../ui/copy-button.tsx";
import type { Item } from "../item-types.ts";
import { itemMarkdown } from "../text/item-markdown.ts";

export function CopyItem({ item, seq }: { item: Item; seq: number }) {
  return <CopyButton text={() => itemMarkdown(item)} label={`Copy event ${seq} as Markdown`} />;
}
