/** Whether each run begins a session of its own, or goes on with that of its key. */
import type { SessionMode } from "#protocol/session-key.ts";
import type { PartProps } from "./basics-part.tsx";
import { SelectField, TextField } from "./fields.tsx";
import { sessionSentence } from "./policies.ts";
import { Row, Section } from "./section.tsx";

const MODES: { value: SessionMode; text: string }[] = [
  { value: "new", text: "A new one" },
  { value: "keyed", text: "That of its key" },
];
const KEYS = [
  "{{github.repository}}#{{github.number}}",
  "{{github.repository}}:{{github.head_branch}}",
  "{{trigger.id}}",
];

export function SessionSection({ draft, set }: PartProps) {
  return (
    <Section title="Sessions" value={sessionSentence(draft)} paths={["session", "session_key"]}>
      <Row>
        <SelectField
          label="Each run has as its session"
          path="session"
          hint={sessionSentence(draft)}
          value={draft.session}
          options={MODES}
          onChange={(session) => set({ session, session_key: session === "new" ? undefined : (KEYS[0] ?? "") })}
        />
        {draft.session === "keyed" && (
          <TextField
            label="Key"
            path="session_key"
            hint="Text with {{…}} for facts of what has come. Without any, all runs share one session."
            value={draft.session_key ?? ""}
            options={KEYS}
            onChange={(session_key) => set({ session_key })}
          />
        )}
      </Row>
    </Section>
  );
}
