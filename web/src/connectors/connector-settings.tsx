/** Changes a connector, on the revision that was shown. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Connector } from "../client/generated.ts";
import { connectorName } from "../format/connectors.ts";
import { asProblem } from "../problem.ts";
import { everyRoutineQuery } from "../secrets/secret-queries.ts";
import { Button } from "../ui/button.tsx";
import { ConnectorForm } from "./connector-form.tsx";
import { connectorQuery, useSaveConnector } from "./connector-queries.ts";
import { draftOfConnector } from "./connector-words.ts";
import styles from "./connectors.module.css";
import { withNames } from "./users-in-words.ts";

export function ConnectorSettings({ connector }: { connector: Connector }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  // As it was when the changes began: what somebody else saves meanwhile is a conflict, and not overwritten.
  const [base, setBase] = useState(connector);
  const [draft, setDraft] = useState(draftOfConnector(connector));
  const saving = useSaveConnector(base);
  const routines = useQuery(everyRoutineQuery).data;
  const isNamed = routines?.some((routine) => routine.connectors.some((one) => connectorName(one) === base.name));
  const isStale = saving.isError && asProblem(saving.error).code === "revision_conflict";

  function takeIn(saved: Connector) {
    setBase(saved);
    setDraft(draftOfConnector(saved));
  }

  async function beginAgain() {
    takeIn(await queryClient.fetchQuery({ ...connectorQuery(base.id), staleTime: 0 }));
    saving.reset();
  }

  return (
    <>
      <ConnectorForm
        draft={draft}
        onChange={setDraft}
        isSaving={saving.isPending}
        error={saving.error === null ? null : withNames(saving.error, routines ?? [])}
        errorTitle="The connector was not saved."
        saveLabel="Save"
        nameHint={isNamed === true ? "Routines know it by this name: while they do, it can’t be another" : undefined}
        onSave={() =>
          saving.mutate(draft, {
            onSuccess: (saved) => {
              takeIn(saved);
              // Its name may have been the address.
              if (saved.name !== base.name)
                void navigate({ to: "/connectors/$id", params: { id: saved.id }, replace: true });
            },
          })
        }
        actions={isStale && <Button onClick={() => void beginAgain()}>Begin again with what was saved</Button>}
      />
      <p className={styles.told} role="status">
        {saving.isSuccess ? "Saved." : ""}
      </p>
      {base.auth.type === "oauth" && (
        <p className={styles.quiet}>Another address, or another way to sign in, ends the login.</p>
      )}
    </>
  );
}
