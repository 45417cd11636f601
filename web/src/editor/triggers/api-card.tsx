/** The fire endpoint: its token, which is shown once, and the call that a program makes with it. */
import { useQueryClient } from "@tanstack/react-query";
import { issueRoutineToken } from "../../client/generated.ts";
import { routineQuery } from "../../queries.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorNotice } from "../../ui/error-state.tsx";
import { useWrite } from "../../write.ts";
import styles from "../editor.module.css";
import { useRoutineInEditor } from "../routine-context.ts";
import { ShownOnce } from "./shown-once.tsx";

export function ApiCard() {
  const { id, hasToken } = useRoutineInEditor();
  if (id === null) {
    return (
      <p className={styles.hint}>Save the routine first: then its token is made here, with the call to fire it.</p>
    );
  }
  return <Token id={id} hasToken={hasToken} />;
}

function Token({ id, hasToken }: { id: string; hasToken: boolean }) {
  const queryClient = useQueryClient();
  const making = useWrite({
    mutationFn: () => issueRoutineToken(id, {}),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: routineQuery(id).queryKey }),
  });
  return (
    <>
      <p className={styles.hint}>
        {hasToken
          ? "A token is in force. A new one takes its place at once: what uses the one before is refused from then on."
          : "It has no token yet, so nothing can fire it."}
      </p>
      <div>
        <Button size="sm" isBusy={making.isPending} onClick={() => making.mutate()}>
          {hasToken ? "Replace the token" : "Make a token"}
        </Button>
      </div>
      {making.isError && <ErrorNotice title="No token was made." error={making.error} />}
      {making.data !== undefined && (
        <>
          <ShownOnce label="Token" text={making.data.token} />
          <ShownOnce label="Call" text={curlOf(making.data)} isSecret={false} />
        </>
      )}
    </>
  );
}

function curlOf({ fire_url, token }: { fire_url: string; token: string }): string {
  return [
    `curl -X POST ${fire_url} \\`,
    `  -H 'Authorization: Bearer ${token}' \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -d '{"text":"What the agent is to know"}'`,
  ].join("\n");
}
