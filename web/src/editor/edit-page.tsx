/** A routine that is changed. */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import type { Routine } from "#protocol/routine.ts";
import { asProblem } from "../problem.ts";
import { routineQuery } from "../queries.ts";
import { NotFound } from "../shell/not-found.tsx";
import { Page } from "../shell/page.tsx";
import crumbs from "../ui/back-link.module.css";
import { Card } from "../ui/card.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { ChevronLeftIcon } from "../ui/icons.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { draftOf } from "./draft.ts";
import styles from "./editor.module.css";
import { Editor } from "./editor.tsx";
import { savedWords } from "./saved-note.ts";

export function EditRoutinePage() {
  const { id } = useParams({ from: "/routines/$id/edit" });
  const { data: routine, error, refetch, isFetching } = useQuery(routineQuery(id));
  if (routine !== undefined) return <EditView routine={routine} />;
  if (error !== null && asProblem(error).status === 404) return <NotFound what="routine" />;
  return (
    <Page title="Edit">
      <h1 className="visually-hidden">Edit a routine</h1>
      <Card>
        {error === null ? (
          <SkeletonRows label="Loading the routine" />
        ) : (
          <ErrorState
            title="The routine could not be loaded"
            error={error}
            onRetry={() => refetch()}
            isRetrying={isFetching}
          />
        )}
      </Card>
    </Page>
  );
}

function EditView({ routine }: { routine: Routine }) {
  const { saved } = useSearch({ from: "/routines/$id/edit" });
  return (
    <Page title={`Edit ${routine.name}`}>
      <div className={styles.page}>
        <nav aria-label="Breadcrumb" className={crumbs.crumbs}>
          <Link to="/routines/$id" params={{ id: routine.id }}>
            <ChevronLeftIcon size={14} />
            {routine.name}
          </Link>
        </nav>
        <h1 className={styles.title}>Edit {routine.name}</h1>
        {saved !== undefined && (
          <p className={styles.lead} role="status">
            {savedWords(saved)}
          </p>
        )}
        <Editor key={routine.id} initial={draftOf(routine)} routine={routine} />
      </div>
    </Page>
  );
}
