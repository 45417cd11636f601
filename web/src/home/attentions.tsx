/** What needs a person: a row for each, with what to do about it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ListedRoutine } from "#protocol/routine.ts";
import { fireDeadLetter } from "../client/generated.ts";
import { visibleLine } from "../session/text/visible-text.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { Card, List, ListRow } from "../ui/card.tsx";
import { classNames } from "../ui/class-names.ts";
import { ErrorNotice } from "../ui/error-state.tsx";
import { AlertIcon, CheckIcon } from "../ui/icons.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Time } from "../ui/time.tsx";
import { useWrite } from "../write.ts";
import { type Attention, attentionOf, type Remedy } from "./attention.ts";
import styles from "./home.module.css";
import { troublesQuery } from "./home-queries.ts";

export function Attentions({ routines }: { routines: readonly ListedRoutine[] }) {
  const troubles = useQuery(troublesQuery);
  const needs = troubles.data === undefined ? undefined : attentionOf({ routines, ...troubles.data });
  return (
    <section className={styles.section} aria-labelledby="needs">
      <h2 id="needs" className={styles.heading}>
        Needs you{needs !== undefined && needs.length > 0 && <span className={styles.count}>{needs.length}</span>}
      </h2>
      {troubles.isError && <ErrorNotice title="This may be out of date." error={troubles.error} />}
      {needs === undefined && !troubles.isError && (
        <Card>
          <SkeletonRows label="Looking for what needs you" rows={1} />
        </Card>
      )}
      {needs?.length === 0 && (
        <p className={styles.calm}>
          <CheckIcon /> Nothing needs you.
        </p>
      )}
      {needs !== undefined && needs.length > 0 && (
        <List label="Needs you">
          {needs.map((need) => (
            <AttentionRow key={need.id} need={need} />
          ))}
        </List>
      )}
    </section>
  );
}

const TONE_WORDS = { danger: "Failed", warning: "Waits for you" } satisfies Record<Attention["tone"], string>;

function AttentionRow({ need }: { need: Attention }) {
  const { tone, subject, text, at, remedy } = need;
  return (
    <ListRow className={styles.need}>
      <span className={classNames(styles.mark, styles[tone])} title={TONE_WORDS[tone]}>
        <AlertIcon />
      </span>
      <div className={styles.about}>
        <p className={styles.subject}>
          {visibleLine(subject)}
          {at !== null && (
            <span className={styles.aside}>
              <Time at={at} />
            </span>
          )}
        </p>
        <p className={styles.text} title={visibleLine(text)}>
          {visibleLine(text)}
        </p>
      </div>
      <RemedyOf remedy={remedy} subject={subject} />
    </ListRow>
  );
}

function RemedyOf({ remedy, subject }: { remedy: Remedy; subject: string }) {
  if (remedy.kind === "fire-again") return <FireAgain id={remedy.id} />;
  const lead = (
    <>
      {remedy.label}
      <span className="visually-hidden">: {visibleLine(subject)}</span>
    </>
  );
  const action = buttonClass("secondary", "sm");
  switch (remedy.kind) {
    case "session":
      return (
        <Link to="/sessions/$id" params={{ id: remedy.id }} className={action}>
          {lead}
        </Link>
      );
    case "routine":
      return (
        <Link
          to="/routines/$id"
          params={{ id: remedy.id }}
          search={remedy.tab === null ? {} : { tab: remedy.tab }}
          className={action}
        >
          {lead}
        </Link>
      );
    case "edit":
      return (
        <Link to="/routines/$id/edit" params={{ id: remedy.id }} className={action}>
          {lead}
        </Link>
      );
    case "secret":
      return (
        <Link to="/secrets" search={{ set: remedy.name }} className={styles.action}>
          {lead}
        </Link>
      );
    case "connector":
      return (
        <Link to="/connectors/$id" params={{ id: remedy.name }} className={action}>
          {lead}
        </Link>
      );
    case "page":
      return (
        <Link to={remedy.to} className={action}>
          {lead}
        </Link>
      );
  }
}

function FireAgain({ id }: { id: string }) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const firing = useWrite({
    mutationFn: () => fireDeadLetter(id),
    onSuccess: async ({ session_id: sessionId }) => {
      void queryClient.invalidateQueries({ queryKey: ["home"] });
      await navigate({ to: "/sessions/$id", params: { id: sessionId } });
    },
  });
  return (
    <div className={styles.remedy}>
      <Button size="sm" isBusy={firing.isPending} onClick={() => firing.mutate()}>
        Fire again
      </Button>
      {firing.isError && <ErrorNotice title="It was not fired." error={firing.error} />}
    </div>
  );
}
