/** One environment: changed here, taken out of use, and brought back. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Environment } from "../client/generated.ts";
import { asProblem } from "../problem.ts";
import { everyRoutineQuery } from "../secrets/secret-queries.ts";
import { listed } from "../secrets/secret-words.ts";
import { Page } from "../shell/page.tsx";
import { BackLink } from "../ui/back-link.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { ConfirmDialog, preloadDialogs } from "../ui/dialog.tsx";
import { ErrorNotice, ErrorState } from "../ui/error-state.tsx";
import { PageHead, PageSection } from "../ui/page-head.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { EnvironmentForm } from "./environment-form.tsx";
import { environmentQuery, useArchiving, useSaveEnvironment } from "./environment-queries.ts";
import { draftOfEnvironment } from "./environment-words.ts";
import styles from "./environments.module.css";

const route = getRouteApi("/environments/$id");
/** Of the one that is always there. */
const DEFAULT_NAME = "default";

export function EnvironmentPage() {
  const { id } = route.useParams();
  const { data, isError, error, refetch, isFetching } = useQuery(environmentQuery(id));
  return (
    <Page title={data?.name ?? "Environment"}>
      <BackLink to="/environments">Environments</BackLink>
      {data !== undefined ? (
        <Shown key={`${data.id} ${data.status}`} environment={data} />
      ) : (
        <Card>
          {isError ? (
            <ErrorState
              title="The environment could not be loaded"
              error={error}
              onRetry={() => refetch()}
              isRetrying={isFetching}
            />
          ) : (
            <SkeletonRows label="Loading the environment" />
          )}
        </Card>
      )}
    </Page>
  );
}

function Shown({ environment }: { environment: Environment }) {
  const { id, name, status } = environment;
  const queryClient = useQueryClient();
  // As it was when the changes began: what somebody else saves meanwhile is a conflict, and not overwritten.
  const [base, setBase] = useState(environment);
  const [draft, setDraft] = useState(draftOfEnvironment(environment));
  const saving = useSaveEnvironment(base);
  const isStale = saving.isError && asProblem(saving.error).code === "revision_conflict";

  async function beginAgain() {
    const fresh = await queryClient.fetchQuery({ ...environmentQuery(id), staleTime: 0 });
    setBase(fresh);
    setDraft(draftOfEnvironment(fresh));
    saving.reset();
  }

  return (
    <>
      <PageHead
        title={name}
        actions={
          <>
            {status === "archived" && <Badge>Archived</Badge>}
            {name !== DEFAULT_NAME && <Archive environment={environment} />}
          </>
        }
      />
      <EnvironmentForm
        draft={draft}
        onChange={setDraft}
        hasFixedName={name === DEFAULT_NAME}
        isSaving={saving.isPending}
        error={saving.error}
        saveLabel="Save"
        onSave={() => saving.mutate(draft, { onSuccess: setBase })}
        actions={isStale && <Button onClick={() => void beginAgain()}>Begin again with what was saved</Button>}
      />
      <p className={styles.used} role="status">
        {saving.isSuccess ? "Saved." : ""}
      </p>
      <UsedBy name={name} />
    </>
  );
}

function UsedBy({ name }: { name: string }) {
  const routines = useQuery(everyRoutineQuery).data?.filter((routine) => routine.environment === name);
  return (
    <PageSection id="used-by" title="Used by">
      {routines === undefined || routines.length === 0 ? (
        <p className={styles.used}>{routines === undefined ? "…" : "No routine names it."}</p>
      ) : (
        <ul className={styles.actions} aria-label="Routines that name it">
          {routines.map((routine) => (
            <li key={routine.id}>
              <Link to="/routines/$id" params={{ id: routine.id }}>
                {routine.name}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </PageSection>
  );
}

function Archive({ environment: { id, name, status } }: { environment: Environment }) {
  const [isOpen, setOpen] = useState(false);
  const archiving = useArchiving(id);
  const names = useQuery(everyRoutineQuery)
    .data?.filter((routine) => routine.environment === name)
    .map((routine) => routine.name);
  if (status === "archived") {
    return (
      <>
        <Button isBusy={archiving.isPending} onClick={() => archiving.mutate("active")}>
          Bring back
        </Button>
        {archiving.isError && <ErrorNotice title="It was not brought back." error={archiving.error} />}
      </>
    );
  }
  return (
    <>
      <Button variant="ghost" onPointerEnter={preloadDialogs} onFocus={preloadDialogs} onClick={() => setOpen(true)}>
        Archive…
      </Button>
      <ConfirmDialog
        isOpen={isOpen}
        onOpenChange={setOpen}
        title={`Archive ${name}?`}
        description={
          names === undefined || names.length === 0
            ? "No routine names it. It can be brought back."
            : `${listed(names)} name${names.length === 1 ? "s" : ""} it: runs there fail until they name another. It can be brought back.`
        }
        keepLabel="Keep it in use"
        confirmLabel="Archive"
        isBusy={archiving.isPending}
        error={archiving.error}
        onConfirm={() => archiving.mutate("archived", { onSuccess: () => setOpen(false) })}
      />
    </>
  );
}
