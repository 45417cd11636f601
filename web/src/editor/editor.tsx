/** A routine as it is written: its form, the same as JSON, and what the instance says to it. */
import { useQuery } from "@tanstack/react-query";
import { useBlocker, useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import type { Routine } from "#protocol/routine.ts";
import { connectorName } from "../format/connectors.ts";
import { asProblem } from "../problem.ts";
import { routineQuery } from "../queries.ts";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { Conflict } from "./conflict.tsx";
import { type Draft, draftOf, isSame } from "./draft.ts";
import { ToldProvider } from "./faults.tsx";
import { Form } from "./form.tsx";
import { JsonView } from "./json-view.tsx";
import { jsonOf, readDraft, readJson } from "./read-draft.ts";
import { RoutineProvider } from "./routine-context.ts";
import { SaveBar } from "./save-bar.tsx";
import { ToldSummary } from "./told-summary.tsx";
import { type Saved, useSave } from "./use-save.ts";
import { useTelling } from "./use-telling.ts";
import { Warnings } from "./warnings.tsx";

interface EditorProps {
  initial: Draft;
  /** What a new one is when nobody has written anything of it, if that is not what it begins with. */
  untouched?: Draft;
  /** What is changed; null for a new one. */
  routine: Routine | null;
}

type View = "form" | "json";

export function Editor({ initial, untouched = initial, routine }: EditorProps) {
  const navigate = useNavigate();
  const [base, setBase] = useState(routine);
  const [draft, setDraft] = useState(initial);
  const [view, setView] = useState<View>("form");
  const [json, setJson] = useState({ text: "", fault: null as string | null });
  // Set in the step in which it leaves: a state would be known one step too late.
  const isLeaving = useRef(false);
  const saving = useSave(base, (saved, { isRunWanted }) => {
    // A new one is left for a page of its own: until that is there, nothing here may look as if it were that.
    if (routine !== null) beginWith(saved.routine, draftOf(saved.routine));
    void leave(saved, isRunWanted);
  });
  const begun = base === null ? untouched : draftOf(base);
  const isDirty = !isSame(draft, begun) || (view === "json" && json.text !== jsonOf(draft));
  const problem = saving.isError ? asProblem(saving.error) : null;
  const { faults, warnings } = useTelling(
    draft,
    base?.id ?? null,
    problem !== null && saving.variables !== undefined ? { draft: saving.variables.draft, problem } : null,
  );
  const isConflict = problem?.code === "revision_conflict";
  const blocker = useBlocker({
    shouldBlockFn: () => isDirty && !isLeaving.current,
    enableBeforeUnload: () => isDirty && !isLeaving.current,
    withResolver: true,
  });

  function beginWith(latest: Routine, next: Draft) {
    setBase(latest);
    setDraft(next);
    setJson({ text: jsonOf(next), fault: null });
  }

  async function leave(saved: Saved, isRunWanted: boolean) {
    isLeaving.current = true;
    await goOn(saved, isRunWanted);
    // It may lead to this very page again.
    isLeaving.current = false;
  }

  async function goOn({ routine: saved, sessionId }: Saved, isRunWanted: boolean) {
    const params = { id: saved.id };
    if (sessionId !== null) return await navigate({ to: "/sessions/$id", params: { id: sessionId } });
    const note = isRunWanted ? "not-started" : base === null && needsSetUp(saved) ? "set-up" : null;
    if (note !== null) return await navigate({ to: "/routines/$id/edit", params, search: { saved: note } });
    return await navigate({ to: "/routines/$id", params });
  }

  /** @returns the draft as it is written, or null where the JSON is none. */
  function written(): Draft | null {
    if (view === "form") return draft;
    const parsed = readJson(json.text);
    const read = "fault" in parsed ? parsed : readDraft(parsed.value);
    if ("draft" in read) return read.draft;
    setJson({ ...json, fault: read.fault });
    return null;
  }

  function show(next: View) {
    if (next === view) return;
    const now = written();
    if (now === null) return;
    setDraft(now);
    setJson({ text: jsonOf(now), fault: null });
    setView(next);
  }

  function save(isRunWanted: boolean) {
    const now = written();
    if (now === null || saving.isPending) return;
    setDraft(now);
    saving.mutate({ draft: now, isRunWanted });
  }

  const busy = saving.isPending ? (saving.variables.isRunWanted ? "run" : "save") : null;
  return (
    <RoutineProvider
      value={{
        id: base?.id ?? null,
        repositories: draft.repositories.filter(({ url }) => URL.canParse(url)),
        connectors: draft.connectors.map(connectorName),
        saved: routine?.triggers ?? [],
        hasToken: routine?.has_token ?? false,
      }}
    >
      <ToldProvider value={{ faults, warnings }}>
        {problem !== null && !isConflict && <ToldSummary problem={problem} issues={faults} isNew={base === null} />}
        {isConflict && base !== null && (
          <ConflictOf
            base={base}
            mine={draft}
            onMerge={(latest, merged) => {
              beginWith(latest, merged);
              saving.reset();
            }}
          />
        )}
        <Tabs
          label="How the routine is shown"
          value={view}
          onChange={show}
          tabs={[
            {
              value: "form",
              title: "Form",
              panel: <Form draft={draft} set={(change) => setDraft({ ...draft, ...change })} />,
            },
            {
              value: "json",
              title: "JSON",
              panel: <JsonView {...json} onChange={(text) => setJson({ text, fault: null })} />,
            },
          ]}
        />
        <Warnings warnings={warnings} />
        <SaveBar isDirty={isDirty} busy={busy} isNew={base === null} onSave={save} />
      </ToldProvider>
      <ConfirmDialog
        isOpen={blocker.status === "blocked"}
        onOpenChange={(isOpen) => !isOpen && blocker.reset?.()}
        title="Leave without saving?"
        description="What you have written here is not saved, and is gone when you leave."
        keepLabel="Stay"
        confirmLabel="Leave"
        onConfirm={() => blocker.proceed?.()}
      />
    </RoutineProvider>
  );
}

interface ConflictOfProps {
  base: Routine;
  mine: Draft;
  onMerge: (latest: Routine, merged: Draft) => void;
}

function ConflictOf({ base, mine, onMerge }: ConflictOfProps) {
  const { data: latest } = useQuery({ ...routineQuery(base.id), staleTime: 0 });
  if (latest === undefined || latest.revision === base.revision)
    return <p role="status">Looking at what has changed…</p>;
  return <Conflict base={base} latest={latest} mine={mine} onMerge={(merged) => onMerge(latest, merged)} />;
}

/** Whether something of it can only be got once it is saved: its token, or the secret of an endpoint. */
function needsSetUp({ triggers, has_token }: Routine): boolean {
  return triggers.some(
    ({ type, endpoint }) => (type === "api" && !has_token) || (type === "webhook" && endpoint?.has_secret === false),
  );
}
