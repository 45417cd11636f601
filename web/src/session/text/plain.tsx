/** Text from outside on one line: shown as it is, and kept from turning what stands beside it. */
import { visibleLine } from "./visible-text.ts";

export function Plain({ text }: { text: string }) {
  return <bdi>{visibleLine(text)}</bdi>;
}
