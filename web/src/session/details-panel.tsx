/** What is known of the session's latest run: what it did, what it cost, and where its time went. */
import { lazy, Suspense } from "react";
import type { Run } from "#protocol/run.ts";
import type { Session } from "#protocol/session.ts";
import { formatCost, formatTokens, plural } from "../format/amounts.ts";
import { formatDuration } from "../format/duration.ts";
import { originTerms } from "../format/origin.ts";
import { isActiveStatus, RESULT_LABELS } from "../format/status.ts";
import { exactTime } from "../ui/exact-time.ts";
import { SkeletonText } from "../ui/skeleton.tsx";
import { Elapsed } from "../ui/time.tsx";
import styles from "./details-panel.module.css";
import { runStretches, type Stretch, wholeDurationMs } from "./run-durations.ts";
import { Plain } from "./text/plain.tsx";

// Of a run that has something before or after it, that has ended, or has pushed.
const RunLinks = lazy(async () => ({ default: (await import("./run-links.tsx")).RunLinks }));
const VerdictPart = lazy(async () => ({ default: (await import("./verdict-part.tsx")).VerdictPart }));
const PushedBranches = lazy(async () => ({ default: (await import("./pushed-branches.tsx")).PushedBranches }));
// Most sessions have one run.
const EarlierRuns = lazy(async () => ({ default: (await import("./earlier-runs.tsx")).EarlierRuns }));

interface DetailsPanelProps {
  id: string;
  session: Session;
  /** The session's latest run; undefined until it is loaded. */
  run: Run | undefined;
}

export function DetailsPanel({ id, session: { runs }, run }: DetailsPanelProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
    <aside id={id} aria-label="Details" className={styles.panel} tabIndex={0}>
      {run === undefined ? (
        <SkeletonText />
      ) : (
        <>
          <Evidence run={run} />
          <Suspense>{!isActiveStatus(run.status) && <VerdictPart key={run.id} run={run} />}</Suspense>
          <Suspense>{mayBeLinked(run) && <RunLinks run={run} />}</Suspense>
          <Cost run={run} />
          <Timings run={run} />
          <AboutRun run={run} />
          <Suspense>{runs.length > 1 && <EarlierRuns runs={runs} />}</Suspense>
        </>
      )}
    </aside>
  );
}

/** A run wakes others when it ends. */
function mayBeLinked({ status, retry_of: repeated, trigger }: Run): boolean {
  const before = repeated ?? trigger.woken_by ?? trigger.delivery_id;
  return before !== undefined || !isActiveStatus(status);
}

function Evidence({ run }: { run: Run }) {
  const { evidence } = run;
  // The runner counts these, and tells at the end.
  const told = (count: number) => (run.timings.finished_at !== null ? count.toLocaleString("en-US") : "at the end");
  return (
    <section className={styles.part}>
      <h2 className={styles.heading}>Evidence</h2>
      <dl className={styles.facts}>
        <Fact name="Turns" value={told(evidence.turns)} />
        <Fact name="Tool calls" value={evidence.tool_calls.toLocaleString("en-US")} />
        {(evidence.tools_refused ?? 0) > 0 && (
          <Fact name="Refused of these" value={told(evidence.tools_refused ?? 0)} />
        )}
        <Fact name="Model calls" value={evidence.model_calls.toLocaleString("en-US")} />
        <Fact name="Files changed" value={told(evidence.files_changed)} />
        <Fact name="Commits pushed" value={told(evidence.commits_pushed)} />
        {(evidence.files_shown ?? 0) > 0 && <Fact name="Files shown" value={evidence.files_shown} />}
        {evidence.branches_pushed.length === 0 && <Fact name="Branches pushed" value="0" />}
      </dl>
      <Suspense>{evidence.branches_pushed.length > 0 && <PushedBranches run={run} />}</Suspense>
    </section>
  );
}

function Cost({ run }: { run: Run }) {
  const { usage, demo_model: isDemo } = run;
  // While the run is on these are calls that are under way.
  const unmetered = run.timings.finished_at === null ? 0 : (usage.unmetered_calls ?? 0);
  const isPriced = isDemo || run.timings.finished_at !== null || usage.cost_usd > 0;
  return (
    <section className={styles.part}>
      <h2 className={styles.heading}>Tokens and cost</h2>
      <dl className={styles.facts}>
        <Fact name="In" value={formatTokens(usage.input_tokens)} />
        <Fact name="Out" value={formatTokens(usage.output_tokens)} />
        <Fact name="Read from cache" value={formatTokens(usage.cache_read_tokens)} />
        <Fact name="Written to cache" value={formatTokens(usage.cache_write_tokens)} />
        <Fact name="Cost" value={isPriced ? formatCost(usage.cost_usd) : "at the end"} />
      </dl>
      {unmetered > 0 && (
        <p className={styles.aside}>Not all: of {plural(unmetered, "model call")} it is not known what was used.</p>
      )}
      {isDemo && <p className={styles.aside}>The offline demo model costs nothing. Its words are a script.</p>}
    </section>
  );
}

function Timings({ run }: { run: Run }) {
  const since = run.timings.queued_at;
  const stretches = runStretches(run, Date.parse(since));
  return (
    <section className={styles.part}>
      <h2 className={styles.heading}>Time</h2>
      {run.timings.finished_at !== null && <Bar stretches={stretches} />}
      <dl className={styles.facts}>
        {stretches.map((stretch, index) => (
          <Fact
            key={stretch.name}
            name={stretch.name}
            mark={run.timings.finished_at === null ? undefined : MARKS[index]}
            value={stretch.isOn ? <Elapsed since={beginOf(run, stretch)} /> : formatDuration(stretch.ms)}
          />
        ))}
        <Fact
          name="In all"
          value={run.timings.finished_at === null ? <Elapsed since={since} /> : formatDuration(wholeDurationMs(run, 0))}
        />
      </dl>
    </section>
  );
}

/** The stretches of time, as long as they took. */
function Bar({ stretches }: { stretches: readonly Stretch[] }) {
  return (
    <div className={styles.bar} aria-hidden="true">
      {stretches.map(({ name, ms }, index) => (
        <span key={name} className={MARKS[index]} style={{ flexGrow: ms }} />
      ))}
    </div>
  );
}

function AboutRun({ run }: { run: Run }) {
  const origin = originTerms(run.trigger);
  return (
    <section className={styles.part}>
      <h2 className={styles.heading}>Run</h2>
      <dl className={styles.facts}>
        <Fact name="Attempt" value={run.attempt} />
        <Fact name="Trigger" value={<Plain text={run.trigger.summary} />} />
        {origin.length > 0 && <Fact name="Origin" value={origin.join(", ")} />}
        {run.result !== null && run.result !== "unknown" && (
          <Fact name="Result" value={RESULT_LABELS[run.result].text} />
        )}
        <Fact
          name="Model"
          value={run.demo_model ? "Offline demo model" : <code>{<Plain text={run.routine.model} />}</code>}
        />
        <Fact name="Revision" value={run.routine.revision} />
        {run.runner !== null && <Fact name="Runner" value={<Plain text={run.runner.id} />} />}
        <Fact name="Queued" value={exactTime(run.timings.queued_at)} />
      </dl>
      <p className={styles.id}>
        <code>{run.id}</code>
      </p>
    </section>
  );
}

function Fact({ name, value, mark }: { name: string; value: React.ReactNode; mark?: string | undefined }) {
  return (
    <div className={styles.fact}>
      <dt className={styles.name}>
        {mark !== undefined && <span className={`${styles.dot} ${mark}`} aria-hidden="true" />}
        {name}
      </dt>
      <dd>{value}</dd>
    </div>
  );
}

function beginOf({ timings }: Run, { name }: Stretch): string {
  if (name === "In the queue") return timings.queued_at;
  if (name === "Getting ready") return timings.starting_at ?? timings.queued_at;
  if (name === "First words") return timings.running_at ?? timings.queued_at;
  return timings.first_event_at ?? timings.queued_at;
}

const MARKS = [styles.waiting, styles.ready, styles.first, styles.work];
