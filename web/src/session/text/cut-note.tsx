/** Where a text was too long to be kept whole. */
import type { Cut } from "../item-types.ts";
import styles from "./long-text.module.css";
import { formatBytes } from "./preview.ts";

/** Says that the instance has kept only the beginning. */
export function CutNote({ cut: { bytes } }: { cut: Cut }) {
  const length = bytes === null ? "" : ` The whole was ${formatBytes(bytes)} long.`;
  return <p className={styles.cut}>Cut here: events have a limit of 256 KiB.{length}</p>;
}
