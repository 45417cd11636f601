/** What a routine is called, and what its agent is told. */
import { useState } from "react";
import { Field } from "../ui/field.tsx";
import { Check } from "./checks.tsx";
import type { Draft } from "./draft.ts";
import styles from "./editor.module.css";
import { useTold } from "./faults.tsx";
import { TextField } from "./fields.tsx";

export interface PartProps {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
}

export function BasicsPart({ draft, set }: PartProps) {
  const told = useTold("prompt");
  const [isMono, setMono] = useState(false);
  const { prompt } = draft;
  const words = prompt.trim() === "" ? 0 : prompt.trim().split(/\s+/).length;
  const count = `${prompt.length.toLocaleString("en-US")} characters, ${words.toLocaleString("en-US")} words`;
  return (
    <section className={styles.part} aria-label="Basics">
      <TextField label="Name" path="name" value={draft.name} onChange={(name) => set({ name })} />
      <Field label="Prompt" path="prompt" hint={count} {...told}>
        <textarea
          data-grows=""
          data-mono={isMono}
          spellCheck
          value={prompt}
          placeholder="What to look at, what to produce, when there is nothing to do, and what shows that it was done."
          onChange={({ target }) => set({ prompt: target.value })}
        />
      </Field>
      <Check label="Prompt in a monospaced font" isChecked={isMono} onChange={setMono} />
    </section>
  );
}
