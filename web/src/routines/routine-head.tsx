/** The head of a routine's page: its name, how it stands, and what can be done with it. */
import { Link } from "@tanstack/react-router";
import type { Routine } from "#protocol/routine.ts";
import { plural } from "../format/amounts.ts";
import { repositoryName } from "../format/repository.ts";
import { TRIGGER_LABELS } from "../format/status.ts";
import { RoutineStatusBadge } from "../ui/badge.tsx";
import { Card } from "../ui/card.tsx";
import { Facts } from "../ui/facts.tsx";
import { ChevronLeftIcon, PauseIcon } from "../ui/icons.tsx";
import { RoutineActions } from "./routine-actions.tsx";
import styles from "./routine-head.module.css";

export function RoutineHead({ routine }: { routine: Routine }) {
  return (
    <div className={styles.head}>
      <nav aria-label="Breadcrumb" className={styles.crumbs}>
        <Link to="/routines">
          <ChevronLeftIcon size={14} />
          Routines
        </Link>
      </nav>
      <div className={styles.top}>
        <div className={styles.name}>
          <h1 className={styles.title}>{routine.name}</h1>
          <RoutineStatusBadge status={routine.status} />
        </div>
        <RoutineActions routine={routine} />
      </div>
      {routine.status === "paused" && <PausedNotice routine={routine} />}
      <Card className={styles.facts}>
        <Facts layout="columns" facts={factsOf(routine)} />
      </Card>
    </div>
  );
}

function PausedNotice({ routine }: { routine: Routine }) {
  return (
    <div className={styles.paused}>
      <PauseIcon />
      <p>
        <strong>{routine.paused_by === "failures" ? "It has paused itself." : "Paused."}</strong>{" "}
        {endedSentence(routine.paused_reason ?? "No reason was given.")}{" "}
        <span className={styles.aside}>Its triggers start nothing; “Run now” works.</span>
      </p>
    </div>
  );
}

function endedSentence(text: string): string {
  return /\p{Sentence_Terminal}$/u.test(text) ? text : `${text}.`;
}

function factsOf(routine: Routine) {
  return [
    { name: "Model", value: routine.model === null ? "The instance's default" : <code>{routine.model}</code> },
    { name: "Repositories", value: <Repositories routine={routine} /> },
    { name: "Limits of a run", value: `${routine.limits.timeout}, ${plural(routine.limits.turns, "turn")}` },
    { name: "Triggers", value: triggerKinds(routine) },
    { name: "Fire token", value: routine.has_token ? "In force" : "None" },
  ];
}

function triggerKinds({ triggers }: Routine): string {
  const types = [...new Set(triggers.map(({ type }) => TRIGGER_LABELS[type]))];
  return types.length === 0 ? "None" : types.join(", ");
}

function Repositories({ routine }: { routine: Routine }) {
  if (routine.repositories.length === 0) return "None";
  return (
    <ul>
      {routine.repositories.map(({ url, branch }) => (
        <li key={`${url} ${branch}`} className={styles.repository} title={url}>
          {repositoryName(url)}
          {branch !== undefined && <span className={styles.aside}> @ {branch}</span>}
        </li>
      ))}
    </ul>
  );
}
