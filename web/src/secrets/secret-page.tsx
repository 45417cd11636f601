/** One secret: who may use it, who names it, and which runs were given it. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Secret } from "../client/generated.ts";
import { actorWords } from "../format/actor.ts";
import { Page } from "../shell/page.tsx";
import { BackLink } from "../ui/back-link.tsx";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { ConfirmDialog, preloadDialogs } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { FactsCard } from "../ui/facts.tsx";
import { PageHead, PageSection } from "../ui/page-head.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Time } from "../ui/time.tsx";
import { NamedBy } from "./named-by.tsx";
import { secretQuery, secretUsesQuery } from "./secret-queries.ts";
import { listed, scopeWords, sourceWords } from "./secret-words.ts";
import { SetSecretDialog } from "./set-secret-dialog.tsx";
import { UseRow } from "./use-row.tsx";
import { useDeleteSecret } from "./use-secrets.ts";
import { useWhereNamed } from "./use-where-named.ts";
import { namesOf } from "./where-named.ts";

const route = getRouteApi("/secrets/$name");

export function SecretPage() {
  const { name } = route.useParams();
  const { data, isError, error, refetch, isFetching } = useQuery(secretQuery(name));
  return (
    <Page title={name}>
      <BackLink to="/secrets">Secrets</BackLink>
      {data !== undefined && <Shown secret={data} />}
      {data === undefined && (
        <>
          <PageHead title={<code>{name}</code>} />
          <Card>
            {isError ? (
              <ErrorState
                title="The secret could not be loaded"
                error={error}
                onRetry={() => refetch()}
                isRetrying={isFetching}
              />
            ) : (
              <SkeletonRows label="Loading the secret" rows={2} />
            )}
          </Card>
        </>
      )}
    </Page>
  );
}

function Shown({ secret }: { secret: Secret }) {
  const { name } = secret;
  const uses = useInfiniteQuery(secretUsesQuery(name));
  const named = useWhereNamed()(name);
  const [isSetting, setSetting] = useState(false);
  return (
    <>
      <PageHead
        title={<code>{name}</code>}
        actions={
          <>
            <Button onPointerEnter={preloadDialogs} onFocus={preloadDialogs} onClick={() => setSetting(true)}>
              Set another value
            </Button>
            <DeleteSecret name={name} names={named === undefined ? [] : namesOf(named)} />
          </>
        }
      />
      <FactsCard facts={factsOf(secret)} />
      <PageSection id="named-by" title="Named by">
        <NamedBy secret={name} named={named} />
      </PageSection>
      <PageSection id="uses" title="Uses">
        <PagedList
          query={uses}
          noun="uses"
          empty={
            <EmptyState title="No run has been given it">
              <p>Each attempt of a run that is given the value is written down here first, and kept for 90 days.</p>
            </EmptyState>
          }
          row={(use) => <UseRow key={`${use.run_id} ${use.attempt} ${use.at}`} use={use} />}
        />
      </PageSection>
      <SetSecretDialog secret={secret} isOpen={isSetting} onClose={() => setSetting(false)} />
    </>
  );
}

function factsOf({ from, scope, created_at, updated_at, updated_by, last_used_at, unreadable }: Secret) {
  return [
    { name: "Who may use it", value: scopeWords(scope) },
    { name: "Value", value: from === null ? "Kept here, encrypted" : sourceWords(from) },
    {
      name: "Set",
      value: (
        <>
          <Time at={updated_at} />
          {updated_by !== null && ` ${actorWords(updated_by)}`}
        </>
      ),
    },
    { name: "First set", value: <Time at={created_at} /> },
    { name: "Last used", value: last_used_at === null ? "Never" : <Time at={last_used_at} /> },
    ...(unreadable.length === 0
      ? []
      : [
          {
            name: "Can’t be read",
            value: `${unreadable.join(", ")}: its row was changed by hand. Set the secret anew, with its scope.`,
          },
        ]),
  ];
}

function DeleteSecret({ name, names }: { name: string; names: readonly string[] }) {
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  const deleting = useDeleteSecret();
  return (
    <>
      <Button variant="ghost" onPointerEnter={preloadDialogs} onFocus={preloadDialogs} onClick={() => setOpen(true)}>
        Delete…
      </Button>
      <ConfirmDialog
        isOpen={isOpen}
        onOpenChange={setOpen}
        title={`Delete ${name}?`}
        description={
          names.length === 0
            ? "Nothing names it. Its value can’t be brought back."
            : `It is named by ${listed(names)}: what is run or sent there fails from then on. Its value can’t be brought back.`
        }
        keepLabel="Keep it"
        confirmLabel="Delete secret"
        isBusy={deleting.isPending}
        error={deleting.error}
        onConfirm={() => deleting.mutate(name, { onSuccess: () => void navigate({ to: "/secrets" }) })}
      />
    </>
  );
}
