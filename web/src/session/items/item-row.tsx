/** A row of the transcript: the item by its kind, with the seqs of the events that it shows. */
import { memo, type ReactNode } from "react";
import type { Item } from "../item-types.ts";
import { AgentRow, ThinkingRow } from "./agent-row.tsx";
import { ArtifactRow } from "./artifact-row.tsx";
import { FinishedRow } from "./finished-row.tsx";
import styles from "./item-row.module.css";
import { RowActions } from "./row-actions.tsx";
import { RunRow } from "./run-row.tsx";
import {
  CancelRow,
  CommentRow,
  NoticeRow,
  PullRequestRow,
  PushRow,
  StepRow,
  UnknownRow,
  UsageRow,
} from "./small-rows.tsx";
import { ResultRow, ToolRow } from "./tool-row.tsx";
import { UserRow } from "./user-row.tsx";
import { AnswerRow, WaitRow } from "./wait-row.tsx";

/** What is read out as it comes. The rest comes too often, or is not finished: it is there for whoever goes to it. */
const READ_OUT: readonly Item["kind"][] = [
  "agent",
  "wait",
  "notice",
  "push",
  "pull_request",
  "comment",
  "cancel",
  "finished",
];

interface ItemRowProps {
  item: Item;
  /** The reader has asked for this one. */
  isTarget: boolean;
}

export const ItemRow = memo(function ItemRow({ item, isTarget }: ItemRowProps) {
  const isReadOut = READ_OUT.includes(item.kind) && !isWriting(item);
  return (
    <div
      className={styles.row}
      data-kind={item.kind}
      data-seqs={item.seqs.length === 0 ? undefined : item.seqs.join(" ")}
      data-target={isTarget || undefined}
      data-nested={item.kind === "tool" && item.parent !== null ? true : undefined}
      aria-live={isReadOut ? undefined : "off"}
    >
      {content(item)}
      {item.seqs[0] !== undefined && <RowActions item={item} seq={item.seqs[0]} />}
    </div>
  );
});

function isWriting(item: Item): boolean {
  return item.kind === "agent" && item.writing;
}

function content(item: Item): ReactNode {
  switch (item.kind) {
    case "run":
      return <RunRow item={item} />;
    case "user":
      return <UserRow item={item} />;
    case "agent":
      return <AgentRow item={item} />;
    case "thinking":
      return <ThinkingRow item={item} />;
    case "tool":
      return <ToolRow item={item} />;
    case "result":
      return <ResultRow item={item} />;
    case "notice":
      return <NoticeRow item={item} />;
    case "push":
      return <PushRow item={item} />;
    case "pull_request":
      return <PullRequestRow item={item} />;
    case "comment":
      return <CommentRow item={item} />;
    case "artifact":
      return <ArtifactRow item={item} />;
    case "usage":
      return <UsageRow item={item} />;
    case "step":
      return <StepRow message={item.message} />;
    case "wait":
      return <WaitRow item={item} />;
    case "answer":
      return <AnswerRow item={item} />;
    case "continued":
      return <StepRow message="Goes on" />;
    case "cancel":
      return <CancelRow item={item} />;
    case "finished":
      return <FinishedRow item={item} />;
    case "unknown":
      return <UnknownRow item={item} />;
  }
}
