/** The secrets of the instance: their names, who may use them, and who names them. Values are shown to nobody. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Secret } from "../client/generated.ts";
import { actorWords } from "../format/actor.ts";
import { Page } from "../shell/page.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { rowLinkClass } from "../ui/card.tsx";
import { preloadDialogs } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Entry } from "../ui/entry.tsx";
import { KeyIcon } from "../ui/icons.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { Time } from "../ui/time.tsx";
import { secretsQuery } from "./secret-queries.ts";
import { listed, scopeWords, sourceWords } from "./secret-words.ts";
import { SetSecretDialog } from "./set-secret-dialog.tsx";
import { useWhereNamed } from "./use-where-named.ts";
import { type Named, namesOf } from "./where-named.ts";

const route = getRouteApi("/secrets");

export function SecretsPage() {
  const { set } = route.useSearch();
  const query = useInfiniteQuery(secretsQuery());
  const namedBy = useWhereNamed();
  const [isSetting, setSetting] = useState(set !== undefined);
  const open = () => setSetting(true);
  return (
    <Page title="Secrets">
      <PageHead
        title="Secrets"
        lead={
          <>
            Tokens and passwords that runs need and nobody should read. <code>{"{{NAME}}"}</code> in a variable stands
            for one; its value is never shown again.
          </>
        }
        actions={
          <Button variant="primary" onPointerEnter={preloadDialogs} onFocus={preloadDialogs} onClick={open}>
            Set a secret
          </Button>
        }
      />
      <PagedList
        query={query}
        noun="secrets"
        empty={
          <EmptyState icon={<KeyIcon size={22} />} title="No secrets yet">
            <p>
              Set one here, then name it in a variable of an environment or a routine: <code>TOKEN={"{{NAME}}"}</code>.
              Runs in its scope are given the value, and transcripts show <code>[secret]</code> in its place.
            </p>
          </EmptyState>
        }
        row={(secret) => <SecretRow key={secret.name} secret={secret} named={namedBy(secret.name)} />}
      />
      <SetSecretDialog isOpen={isSetting} onClose={() => setSetting(false)} suggested={set ?? ""} />
    </Page>
  );
}

function SecretRow({ secret, named }: { secret: Secret; named: Named | undefined }) {
  const { name, from, scope, updated_at, updated_by, last_used_at, unreadable } = secret;
  return (
    <Entry
      head={
        <>
          <Link to="/secrets/$name" params={{ name }} className={rowLinkClass}>
            <code>{name}</code>
          </Link>
          {unreadable.length > 0 && <Badge tone="warning">Set it anew</Badge>}
        </>
      }
      meta={[
        scopeWords(scope),
        from !== null && sourceWords(from),
        <>
          Set <Time at={updated_at} />
          {updated_by !== null && ` ${actorWords(updated_by)}`}
        </>,
        last_used_at === null ? (
          "Never used"
        ) : (
          <>
            Used <Time at={last_used_at} />
          </>
        ),
        named !== undefined && namedWords(named),
      ]}
    />
  );
}

function namedWords(named: Named): string {
  const names = namesOf(named);
  return names.length === 0 ? "Named nowhere" : `Named by ${listed(names)}`;
}
