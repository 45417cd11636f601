/** Somebody else has saved the routine meanwhile: both changes side by side, and which of them is kept. */
import { useState } from "react";
import type { Routine } from "#protocol/routine.ts";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { changedKeys, conflictingKeys, type Draft, draftOf, mergedDraft } from "./draft.ts";
import styles from "./editor.module.css";
import { KEY_TITLES, textOfValue } from "./words.ts";

interface ConflictProps {
  /** What both began with. */
  base: Routine;
  latest: Routine;
  mine: Draft;
  onMerge: (draft: Draft) => void;
}

export function Conflict({ base, latest, mine, onMerge }: ConflictProps) {
  const before = draftOf(base);
  const theirs = draftOf(latest);
  const conflicts = conflictingKeys(before, mine, theirs);
  const others = changedKeys(before, theirs).filter((key) => !conflicts.includes(key));
  const [kept, setKept] = useState<readonly (keyof Draft)[]>([]);
  return (
    <Card className={styles.conflict} role="group" aria-label="Changed meanwhile">
      <h2 className={styles.partTitle}>Somebody has saved revision {latest.revision} meanwhile</h2>
      <p className={styles.hint}>
        You began with revision {base.revision}. Nothing of yours is lost.
        {others.length > 0 &&
          ` They have changed ${others.map((key) => KEY_TITLES[key]).join(", ")} too, which is taken over.`}
      </p>
      {conflicts.map((key) => (
        <fieldset key={key} className={styles.sides}>
          <legend>{KEY_TITLES[key]}: both of you have changed it</legend>
          <Side
            name={key}
            label="Theirs"
            text={textOfValue(theirs[key])}
            isChosen={!kept.includes(key)}
            onChoose={() => setKept(kept.filter((one) => one !== key))}
          />
          <Side
            name={key}
            label="Mine"
            text={textOfValue(mine[key])}
            isChosen={kept.includes(key)}
            onChoose={() => setKept([...kept, key])}
          />
        </fieldset>
      ))}
      <div>
        <Button variant="primary" onClick={() => onMerge(mergedDraft(before, mine, theirs, kept))}>
          Go on with this
        </Button>
      </div>
    </Card>
  );
}

interface SideProps {
  name: string;
  label: string;
  text: string;
  isChosen: boolean;
  onChoose: () => void;
}

function Side({ name, label, text, isChosen, onChoose }: SideProps) {
  return (
    <div className={styles.side}>
      <label className={styles.check}>
        <input type="radio" name={`conflict-${name}`} checked={isChosen} onChange={onChoose} />
        <span>{label}</span>
      </label>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by keyboard */}
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}
