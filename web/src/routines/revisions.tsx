/** Who saved what when: each revision compared with the one before, and brought back. */

import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Revision, Routine } from "#protocol/routine.ts";
import * as api from "../client/generated.ts";
import { type Draft, draftOf, patchOf } from "../editor/draft.ts";
import { actorWords } from "../format/actor.ts";
import { keepAnswer } from "../keep-answer.ts";
import { revisionsQuery, routineQuery } from "../queries.ts";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { ListRow } from "../ui/card.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { Time } from "../ui/time.tsx";
import { useWrite } from "../write.ts";
import { Compare } from "./compare.tsx";
import styles from "./revisions.module.css";

export function Revisions({ routine }: { routine: Routine }) {
  const revisions = useInfiniteQuery(revisionsQuery(routine.id));
  return (
    <PagedList
      query={revisions}
      noun="revisions"
      empty={null}
      row={(revision) => <RevisionRow key={revision.revision} revision={revision} routine={routine} />}
    />
  );
}

/** As it is restored: a revision knows nothing of endpoints and next times. */
function draftOfRevision({ definition }: Revision): Draft {
  return draftOf(definition as Parameters<typeof draftOf>[0]);
}

function RevisionRow({ revision, routine }: { revision: Revision; routine: Routine }) {
  const [isOpen, setOpen] = useState(false);
  const isInForce = revision.revision === routine.revision;
  return (
    <ListRow className={styles.revision}>
      <div className={styles.line}>
        <span className={styles.name}>
          Revision {revision.revision}
          {isInForce && <Badge tone="success">In force</Badge>}
        </span>
        <span className={styles.aside}>
          <Time at={revision.at} /> {actorWords(revision.actor)}
        </span>
        {!isInForce && (
          <Button
            size="sm"
            variant="ghost"
            aria-expanded={isOpen}
            aria-label={`Compare revision ${revision.revision} with what is in force`}
            onClick={() => setOpen(!isOpen)}
          >
            Compare
          </Button>
        )}
      </div>
      {isOpen && !isInForce && <Opened revision={revision} routine={routine} />}
    </ListRow>
  );
}

function Opened({ revision, routine }: { revision: Revision; routine: Routine }) {
  const queryClient = useQueryClient();
  const then = draftOfRevision(revision);
  const now = draftOf(routine);
  const restoring = useWrite({
    mutationFn: () =>
      api.changeRoutine(routine.id, { ...patchOf(now, then), if_revision: routine.revision } as api.RoutinePatch),
    onSuccess: async (restored) => {
      await keepAnswer(queryClient, routineQuery(routine.id).queryKey, restored);
      return queryClient.invalidateQueries({ queryKey: ["routine", routine.id] });
    },
  });
  return (
    <>
      <Compare
        before={then}
        after={now}
        beforeTitle={`Revision ${revision.revision}`}
        afterTitle={`In force, ${routine.revision}`}
      />
      {Object.keys(patchOf(now, then)).length > 0 && (
        <div>
          <Button size="sm" isBusy={restoring.isPending} onClick={() => restoring.mutate()}>
            Restore revision {revision.revision}
          </Button>
        </div>
      )}
      {restoring.isError && <ErrorNotice title="It was not restored." error={restoring.error} />}
    </>
  );
}
