/** What a routine says: its prompt, its settings, and who saved it when. */
import type { Overlap, Routine } from "#protocol/routine.ts";
import { plural } from "../format/amounts.ts";
import { Badge } from "../ui/badge.tsx";
import { Card } from "../ui/card.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Facts } from "../ui/facts.tsx";
import { Time } from "../ui/time.tsx";
import styles from "./definition.module.css";
import { DefinitionActions } from "./definition-actions.tsx";
import { GateLook } from "./gate-look.tsx";
import { Revisions } from "./revisions.tsx";
import { InWords } from "./said.tsx";
import { Triggers } from "./triggers.tsx";

export function Definition({ routine }: { routine: Routine }) {
  return (
    <div className={styles.definition}>
      <section className={styles.wide} aria-labelledby="prompt">
        <div className={styles.bar}>
          <h2 id="prompt" className={styles.heading}>
            Prompt
          </h2>
          <CopyButton text={routine.prompt} label="Copy prompt" />
        </div>
        <Card>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by keyboard */}
          <div className={styles.prompt} tabIndex={0}>
            <pre>{routine.prompt}</pre>
          </div>
        </Card>
      </section>
      <section className={styles.wide} aria-labelledby="in-words">
        <div className={styles.bar}>
          <h2 id="in-words" className={styles.heading}>
            What it does
          </h2>
        </div>
        <InWords routine={routine} />
      </section>
      <section className={styles.wide} aria-labelledby="triggers">
        <div className={styles.bar}>
          <h2 id="triggers" className={styles.heading}>
            Triggers
          </h2>
        </div>
        <Triggers triggers={routine.triggers} />
        {routine.gate_state !== null && <GateLook state={routine.gate_state} />}
      </section>
      <section aria-labelledby="settings">
        <div className={styles.bar}>
          <h2 id="settings" className={styles.heading}>
            Settings
          </h2>
        </div>
        <Card className={styles.settings}>
          <Facts facts={settingsOf(routine)} />
        </Card>
      </section>
      <section aria-labelledby="revisions">
        <div className={styles.bar}>
          <h2 id="revisions" className={styles.heading}>
            Revisions
          </h2>
        </div>
        <Revisions routine={routine} />
      </section>
      <section className={styles.wide} aria-label="Copy or delete">
        <DefinitionActions routine={routine} />
      </section>
    </div>
  );
}

const OVERLAP_TEXTS: Record<Overlap, string> = {
  parallel: "start beside it",
  queue: "wait for it, in order",
  queue_latest: "wait for it; only the newest waits",
  skip: "are skipped",
  cancel_running: "take its place",
};

function settingsOf(routine: Routine) {
  const { repositories, overlap, limits, retry, tags } = routine;
  const retries =
    retry.max === 0 ? "Never by itself" : `Up to ${plural(retry.max, "time")}, first after ${retry.backoff}`;
  return [
    {
      name: "Repositories",
      value: lines(repositories.map(({ url, branch }) => (branch === undefined ? url : `${url} @ ${branch}`))),
    },
    {
      name: "Overlap",
      value: (
        <>
          <code>{overlap}</code>: while a run is on, new ones {OVERLAP_TEXTS[overlap]}
        </>
      ),
    },
    ...(overlap === "parallel" ? [{ name: "At once", value: plural(routine.max_concurrent, "run") }] : []),
    { name: "Model", value: routine.model === null ? "The instance's default" : <code>{routine.model}</code> },
    { name: "Timeout", value: limits.timeout },
    { name: "Turns", value: limits.turns.toLocaleString("en-US") },
    { name: "Retries", value: retries },
    { name: "Pauses itself", value: pausesAfter(limits.failures) },
    { name: "Tags", value: <Tags tags={tags} /> },
    { name: "Id", value: <code>{routine.id}</code> },
    { name: "Created", value: <Time at={routine.created_at} /> },
  ];
}

function pausesAfter(failures: number): string {
  if (failures === 0) return "Never";
  return failures === 1 ? "After a failure" : `After ${failures} failures in a row`;
}

function lines(texts: readonly string[]) {
  if (texts.length === 0) return "None";
  return (
    <ul>
      {texts.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}

function Tags({ tags }: { tags: Routine["tags"] }) {
  const entries = Object.entries(tags);
  if (entries.length === 0) return "None";
  return (
    <span className={styles.tags}>
      {entries.map(([name, value]) => (
        <Badge key={name}>
          {name}: {value}
        </Badge>
      ))}
    </span>
  );
}
