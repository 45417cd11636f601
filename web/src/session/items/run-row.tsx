/** A run's beginning: its steps with their times while it gets ready, and one line afterwards. */
import { useQuery } from "@tanstack/react-query";
import { useContext } from "react";
import { formatDuration } from "../../format/duration.ts";
import { isUntaken } from "../../format/status.ts";
import { runQuery } from "../../queries.ts";
import { Elapsed } from "../../ui/time.tsx";
import { Fold } from "../fold.tsx";
import type { RunItem } from "../item-types.ts";
import { isRunItemClosed, timedSteps } from "../run-items.ts";
import { Plain } from "../text/plain.tsx";
import { WaitContext } from "../wait-context.ts";
import styles from "./run-row.module.css";
import { StateMark } from "./state-mark.tsx";

/** A wait that is shorter is not worth a word. */
const SHORT_WAIT_MS = 1_000;

export function RunRow({ item }: { item: RunItem }) {
  if (!isRunItemClosed(item)) return <Preparing item={item} />;
  const isReady = item.runningAtMs !== null;
  return (
    <Fold
      foldKey={item.key}
      line={
        <>
          <StateMark state={isReady ? "ok" : "stopped"} />
          <span className={styles.line}>{closedText(item)}</span>
        </>
      }
    >
      {() => (
        <>
          <Steps item={item} />
          <Facts item={item} />
        </>
      )}
    </Fold>
  );
}

/** The demo model goes by the name of the model whose part it plays: which of them it was, the run itself knows. */
function Facts({ item }: { item: RunItem }) {
  const { data: run } = useQuery(runQuery(item.runId));
  const { summary, sandbox, model } = item;
  const facts = [
    summary,
    run?.demo_model === true ? "offline demo model" : model,
    sandbox === null ? null : sandbox === "none" ? "without a sandbox" : "in a sandbox",
  ];
  return (
    <p className={styles.facts}>
      <Plain text={facts.filter((fact) => fact !== null).join(" · ")} />
    </p>
  );
}

function Preparing({ item }: { item: RunItem }) {
  const wait = useContext(WaitContext);
  const { data: run } = useQuery(runQuery(item.runId));
  const { startingAtMs, queuedAtMs, summary, attempt } = item;
  return (
    <div className={styles.preparing}>
      <p className={styles.title}>
        <StateMark state="running" />
        <span>
          {startingAtMs === null && item.steps.length === 0
            ? "Waiting to start"
            : run !== undefined && isUntaken(run)
              ? "Waiting for a runner"
              : "Getting ready"}
          {attempt !== null && attempt > 1 && `, attempt ${attempt}`}
        </span>
        <span className={styles.time}>
          <Elapsed since={new Date(startingAtMs ?? queuedAtMs ?? item.atMs).toISOString()} />
        </span>
      </p>
      {startingAtMs === null && item.steps.length === 0 ? (
        <p className={styles.facts}>{wait ?? (summary !== null && <Plain text={summary} />)}</p>
      ) : (
        <Steps item={item} />
      )}
    </div>
  );
}

function Steps({ item }: { item: RunItem }) {
  const steps = timedSteps(item, item.atMs);
  return (
    <ol className={styles.steps}>
      {steps.map(({ message, ms, isOn }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: steps are added at the end and never move
        <li key={index}>
          <span className={styles.message}>
            <Plain text={message} />
          </span>
          <span className={styles.time}>
            {isOn ? (
              <Elapsed since={new Date(item.steps[index]?.atMs ?? item.atMs).toISOString()} />
            ) : (
              formatDuration(ms)
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}

function closedText({ queuedAtMs, startingAtMs, runningAtMs, endedAtMs, atMs, attempt }: RunItem): string {
  const beganMs = startingAtMs ?? queuedAtMs ?? atMs;
  const which = attempt !== null && attempt > 1 ? `Attempt ${attempt}: ` : "";
  if (runningAtMs === null)
    return `${which}Ended before the agent was on, after ${formatDuration((endedAtMs ?? beganMs) - beganMs)}`;
  const waitedMs = queuedAtMs !== null && startingAtMs !== null ? startingAtMs - queuedAtMs : 0;
  const waited = waitedMs >= SHORT_WAIT_MS ? `, after waiting ${formatDuration(waitedMs)}` : "";
  return `${which}Ready in ${formatDuration(runningAtMs - beganMs)}${waited}`;
}
