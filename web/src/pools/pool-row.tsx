/** One pool: what it can take, what waits, its runners, and its token. */
import { useState } from "react";
import { deletePool, issuePoolToken, type Pool, type PoolRunner, revokePoolTokens } from "../client/generated.ts";
import { visibleLine } from "../session/text/visible-text.ts";
import { Badge, LabelBadge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { Entry } from "../ui/entry.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Time } from "../ui/time.tsx";
import { usePoolCall } from "./pool-queries.ts";
import styles from "./pools.module.css";
import { RUNNER_LABELS } from "./runner-labels.ts";
import type { GivenToken } from "./token-dialog.tsx";
import { Warm } from "./warm-dialog.tsx";

/** Of the one that is always there, whose runners come with RUNNER_TOKEN. */
const DEFAULT_POOL = "default";

interface PoolRowProps {
  pool: Pool;
  onToken: (given: GivenToken) => void;
}

export function PoolRow({ pool, onToken }: PoolRowProps) {
  const { name, kind, capacity, busy, waiting, waiting_since, why, runners, token, warm } = pool;
  return (
    <Entry
      head={
        <>
          <span>{name}</span>
          {waiting !== null && waiting > 0 && <Badge tone="warning">{waiting} waiting</Badge>}
        </>
      }
      meta={[
        kind === "container" ? "Containers" : "Own runners",
        capacity === null || busy === null ? "Not known just now" : `${busy} of ${capacity} busy`,
        waiting_since !== null && (
          <>
            Waiting since <Time at={waiting_since} />
          </>
        ),
        warm !== null && `${warm.ready} of ${warm.containers} kept ready`,
        token !== null && (
          <>
            Token of <Time at={token.created_at} />
          </>
        ),
        name !== DEFAULT_POOL && token === null && "No token in force",
      ]}
      actions={
        warm === null && name === DEFAULT_POOL ? undefined : (
          <>
            {warm !== null && <Warm pool={name} warm={warm} />}
            {name !== DEFAULT_POOL && <Actions name={name} onToken={onToken} />}
          </>
        )
      }
    >
      {why !== null && (
        <p className={styles.why}>
          {why.message} {why.hint}
        </p>
      )}
      {warm?.why != null && <p className={styles.why}>{warm.why}</p>}
      <Runners runners={runners} />
    </Entry>
  );
}

function Runners({ runners }: { runners: readonly PoolRunner[] }) {
  if (runners.length === 0) return <p className={styles.quiet}>No runner has come.</p>;
  return (
    <ul className={styles.runners} aria-label="Runners">
      {runners.map(({ id, version, capacity, busy, last_seen_at, state, reason }) => (
        <li key={id}>
          <LabelBadge {...RUNNER_LABELS[state]} look="plain" />
          <code>{visibleLine(id)}</code>
          <span>{version === null ? "version not told" : `version ${visibleLine(version)}`}</span>
          <span>
            {busy} of {capacity} busy
          </span>
          <span>
            seen <Time at={last_seen_at} />
          </span>
          {reason !== null && <span>{visibleLine(reason)}</span>}
        </li>
      ))}
    </ul>
  );
}

function Actions({ name, onToken }: { name: string; onToken: (given: GivenToken) => void }) {
  const [asked, setAsked] = useState<"revoke" | "delete" | null>(null);
  const issuing = usePoolCall(() => issuePoolToken(name));
  const ending = usePoolCall((what: "revoke" | "delete") =>
    what === "revoke" ? revokePoolTokens(name) : deletePool(name),
  );
  const close = () => {
    setAsked(null);
    ending.reset();
  };
  return (
    <>
      <Button
        size="sm"
        aria-label={`New token for ${name}`}
        isBusy={issuing.isPending}
        onClick={() =>
          issuing.mutate(undefined, {
            onSuccess: ({ token, previous_token_until }) =>
              onToken({ pool: name, token, previousUntil: previous_token_until }),
          })
        }
      >
        New token
      </Button>
      <Button size="sm" variant="ghost" aria-label={`Revoke tokens of ${name}`} onClick={() => setAsked("revoke")}>
        Revoke…
      </Button>
      <Button size="sm" variant="ghost" aria-label={`Delete ${name}`} onClick={() => setAsked("delete")}>
        Delete…
      </Button>
      {issuing.isError && <ErrorNotice title="No token was issued." error={issuing.error} />}
      <ConfirmDialog
        isOpen={asked !== null}
        onOpenChange={close}
        title={asked === "delete" ? `Delete ${name}?` : `Revoke the tokens of ${name}?`}
        description={
          asked === "delete"
            ? "Its runners are shut out. It is refused while a routine names the pool, or while it has runs."
            : "Its runners are shut out at once, and their runs end as those of a lost runner."
        }
        keepLabel="Keep"
        confirmLabel={asked === "delete" ? "Delete pool" : "Revoke tokens"}
        isBusy={ending.isPending}
        error={ending.error}
        onConfirm={() => asked !== null && ending.mutate(asked, { onSuccess: close })}
      />
    </>
  );
}
