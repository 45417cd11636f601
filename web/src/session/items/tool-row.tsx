/** A tool call with its result: a line, which unfolds to what was asked and what came of it, loaded with the first act on the page. */
import { lazy, Suspense } from "react";
import { formatDuration } from "../../format/duration.ts";
import { classNames } from "../../ui/class-names.ts";
import { withFirstAct } from "../../ui/first-act.ts";
import { Elapsed } from "../../ui/time.tsx";
import { Fold } from "../fold.tsx";
import type { ResultItem, ToolItem } from "../item-types.ts";
import { Plain } from "../text/plain.tsx";
import { tellingInput, toolName } from "../text/tool-summary.ts";
import { StateMark } from "./state-mark.tsx";
import styles from "./tool-row.module.css";

const loadBody = () => import("./tool-body.tsx");
const ToolBody = lazy(async () => ({ default: (await loadBody()).ToolBody }));
const Output = lazy(async () => ({ default: (await loadBody()).Output }));
// Before it is wanted: it unfolds also where there is no network by then.
withFirstAct(loadBody);

const STATE_TEXTS = { running: "Running", ok: "Done", error: "Failed", stopped: "Stopped, without a result" };

export function ToolRow({ item }: { item: ToolItem }) {
  const { server, name } = toolName(item.name);
  return (
    <Fold
      foldKey={item.key}
      line={
        <>
          <StateMark state={item.state} />
          <span className="visually-hidden">{STATE_TEXTS[item.state]}: </span>
          <span className={styles.name}>
            {server !== null && (
              <span className={styles.server}>
                <Plain text={server} />{" "}
              </span>
            )}
            <Plain text={name} />
          </span>
          {item.parent !== null && <span className={styles.subagent}>by a subagent</span>}
          <span className={styles.telling}>
            <Plain text={tellingInput(item.input)} />
          </span>
          <Duration item={item} />
        </>
      }
    >
      {() => (
        <Suspense>
          <ToolBody item={item} />
        </Suspense>
      )}
    </Fold>
  );
}

/** A result whose call is not loaded yet. */
export function ResultRow({ item: { key, result } }: { item: ResultItem }) {
  return (
    <Fold
      foldKey={key}
      line={
        <>
          <StateMark state={result.isError ? "error" : "ok"} />
          <span className={styles.name}>Result</span>
          <span className={styles.telling}>
            <Plain text={tellingInput(result.text)} />
          </span>
        </>
      }
    >
      {() => (
        <Suspense>
          <Output foldKey={key} result={result} />
        </Suspense>
      )}
    </Fold>
  );
}

function Duration({ item: { atMs, state, result } }: { item: ToolItem }) {
  return (
    <span className={classNames(styles.duration, state === "running" && styles.on)}>
      {result !== null && formatDuration(result.atMs - atMs)}
      {state === "running" && <Elapsed since={new Date(atMs).toISOString()} />}
      {state === "stopped" && "no result"}
    </span>
  );
}
