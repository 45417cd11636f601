/** What came and led to no work: why, with what had come, and firing it again. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import type { DeadLetter } from "../client/generated.ts";
import { type Label, REASON_TEXTS, TRIGGER_LABELS } from "../format/status.ts";
import { everyRoutineQuery } from "../secrets/secret-queries.ts";
import { visibleLine, visibleText } from "../session/text/visible-text.ts";
import { Page } from "../shell/page.tsx";
import { LabelBadge, OutcomeBadge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Entry } from "../ui/entry.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Choice, Filters } from "../ui/filters.tsx";
import { InboxIcon } from "../ui/icons.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { Time } from "../ui/time.tsx";
import { deadLettersQuery, useFireAgain } from "./dead-letter-queries.ts";
import styles from "./dead-letters.module.css";

const route = getRouteApi("/dead-letters");

const STATES = [
  { value: "fired", text: "Fired again" },
  { value: "all", text: "All" },
] as const;

/** That it was let in is no news where its run came to nothing. */
const RUN_FAILED: Label = { text: "Run failed", tone: "danger" };

export function DeadLettersPage() {
  const { state = "open" } = route.useSearch();
  const navigate = useNavigate();
  const query = useInfiniteQuery(deadLettersQuery(state));
  return (
    <Page title="Dead letters">
      <PageHead
        title="Dead letters"
        lead="What came and could not become a run, or whose run failed before the agent had begun. Once the cause is mended, fire it again: the run gets what had come."
      />
      <Filters label="Dead letters shown">
        <Choice
          label="State"
          value={state === "open" ? undefined : state}
          options={STATES}
          all="Not fired again"
          onChange={(next) =>
            void navigate({ to: "/dead-letters", search: next === undefined ? {} : { state: next }, replace: true })
          }
        />
      </Filters>
      <PagedList
        query={query}
        noun="dead letters"
        empty={
          <EmptyState
            icon={<InboxIcon size={22} />}
            title={state === "fired" ? "None has been fired again" : "No dead letters"}
          >
            <p>Everything that came led to work, or was turned away for a reason that its routine’s activity tells.</p>
          </EmptyState>
        }
        row={(letter) => <LetterRow key={letter.id} letter={letter} />}
      />
    </Page>
  );
}

function LetterRow({ letter }: { letter: DeadLetter }) {
  const { routine_id, at, trigger, outcome, run_id, fired } = letter;
  const routine = useQuery(everyRoutineQuery).data?.find(({ id }) => id === routine_id);
  const firing = useFireAgain(letter.id);
  return (
    <Entry
      head={
        <>
          <Link to="/routines/$id" params={{ id: routine_id }}>
            {routine?.name ?? "Routine"}
          </Link>
          {run_id === null ? (
            <OutcomeBadge outcome={outcome} look="plain" />
          ) : (
            <LabelBadge {...RUN_FAILED} look="plain" />
          )}
        </>
      }
      meta={[
        TRIGGER_LABELS[trigger.type],
        visibleLine(trigger.summary),
        <Time key="at" at={at} />,
        run_id !== null && (
          <Link to="/runs/$id" params={{ id: run_id }}>
            The run that failed
          </Link>
        ),
        fired !== null && (
          <>
            Fired again <Time at={fired.at} />
          </>
        ),
      ]}
      actions={
        fired === null ? (
          <Button size="sm" isBusy={firing.isPending} onClick={() => firing.mutate()}>
            Fire again
          </Button>
        ) : (
          <Link to="/sessions/$id" params={{ id: fired.session_id }}>
            The new run
          </Link>
        )
      }
    >
      <p className={styles.why}>{whyWords(letter)}</p>
      <InputText input={letter.input} />
      {firing.isError && <ErrorNotice title="It was not fired." error={firing.error} />}
    </Entry>
  );
}

function whyWords({ error, reason }: DeadLetter): string {
  if (error === null) return REASON_TEXTS[reason];
  return visibleLine(error.hint === null ? error.message : `${error.message} ${error.hint}`);
}

/** Untrusted: whoever sent it wrote it. */
function InputText({ input: { text, truncated } }: Pick<DeadLetter, "input">) {
  if (text === null || text === "") return null;
  return (
    <details className={styles.input}>
      <summary>What had come{truncated === true ? ", its beginning" : ""}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <pre tabIndex={0}>{visibleText(text)}</pre>
    </details>
  );
}
