/** Whose login runs use: when it was made, for what, and until when; and ending it. */
import { useState } from "react";
import type { Connector } from "../client/generated.ts";
import { actorWords } from "../format/actor.ts";
import { Plain } from "../session/text/plain.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog, preloadDialogs } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { FactsCard } from "../ui/facts.tsx";
import { PageSection } from "../ui/page-head.tsx";
import { Time } from "../ui/time.tsx";
import { useBeginLogin, useEndLogin } from "./connector-queries.ts";
import { CLIENT_WORDS } from "./connector-words.ts";
import styles from "./connectors.module.css";

interface LoginPartProps {
  connector: Connector;
  /** Then the head of the page has the button. */
  needsLogin: boolean;
}

export function LoginPart({ connector, needsLogin }: LoginPartProps) {
  const { id, name, login } = connector;
  const beginning = useBeginLogin(id);
  return (
    <PageSection id="login" title="Login">
      <div className={styles.section}>
        {login === null ? (
          <p className={styles.quiet}>
            Nobody is logged in. Runs use the login of whoever does, and act there as that person. No token is ever
            shown.
          </p>
        ) : (
          <FactsCard facts={factsOf(login)} />
        )}
        {login !== null && (
          <div className={styles.actions}>
            {!needsLogin && (
              <Button isBusy={beginning.isPending} onClick={() => beginning.mutate()}>
                Log in again
              </Button>
            )}
            <LogOut id={id} name={name} />
          </div>
        )}
        {beginning.isError && <ErrorNotice title="The login did not begin." error={beginning.error} />}
      </div>
    </PageSection>
  );
}

function factsOf({ at, by, issuer, scope, client, expires_at }: NonNullable<Connector["login"]>) {
  return [
    {
      name: "Logged in",
      value: (
        <>
          <Time at={at} /> {actorWords(by)}
        </>
      ),
    },
    { name: "At", value: <Plain text={issuer} /> },
    { name: "Allowed", value: scope === null ? "The server does not say what" : <Plain text={scope} /> },
    { name: "This instance is known there", value: CLIENT_WORDS[client] },
    {
      name: "Until",
      value:
        expires_at === null ? (
          "It is renewed by itself, or no end is told"
        ) : (
          <>
            Ends <Time at={expires_at} />, then somebody has to log in again
          </>
        ),
    },
  ];
}

function LogOut({ id, name }: { id: string; name: string }) {
  const [isOpen, setOpen] = useState(false);
  const ending = useEndLogin(id);
  return (
    <>
      <Button variant="ghost" onPointerEnter={preloadDialogs} onFocus={preloadDialogs} onClick={() => setOpen(true)}>
        Log out…
      </Button>
      <ConfirmDialog
        isOpen={isOpen}
        onOpenChange={setOpen}
        title={`Log out of ${name}?`}
        description="Its tokens are deleted here, and the authorization server is asked to revoke them, where it can. Calls of runs fail until somebody logs in again."
        keepLabel="Stay logged in"
        confirmLabel="Log out"
        isBusy={ending.isPending}
        error={ending.error}
        onConfirm={() => ending.mutate(undefined, { onSuccess: () => setOpen(false) })}
      />
    </>
  );
}
