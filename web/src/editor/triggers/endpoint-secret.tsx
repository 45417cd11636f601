/** The secret by which an endpoint believes its source: drawn here, or copied from there. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { issueEndpointSecret } from "../../client/generated.ts";
import { routineQuery } from "../../queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { ErrorNotice } from "../../ui/error-state.tsx";
import { Field } from "../../ui/field.tsx";
import { useWrite } from "../../write.ts";
import styles from "../editor.module.css";
import { ShownOnce } from "./shown-once.tsx";

interface SecretProps {
  routineId: string;
  triggerId: string;
  hasSecret: boolean;
  /** Made by the source, and copied from there. */
  isOfSource: boolean;
  title: string;
}

export function EndpointSecret({ routineId, triggerId, hasSecret, isOfSource, title }: SecretProps) {
  const queryClient = useQueryClient();
  const [given, setGiven] = useState("");
  const setting = useWrite({
    mutationFn: () => issueEndpointSecret(routineId, triggerId, isOfSource ? { secret: given } : {}),
    onSuccess: () => {
      setGiven("");
      return queryClient.invalidateQueries({ queryKey: routineQuery(routineId).queryKey });
    },
  });
  return (
    <>
      <p className={styles.onceHead}>
        <Badge tone={hasSecret ? "success" : "warning"}>{hasSecret ? "Has a secret" : "No secret"}</Badge>
        <span className={styles.hint}>
          {hasSecret
            ? "A new one is accepted beside it for 24 hours."
            : "What comes is refused until the endpoint has one."}
        </span>
      </p>
      {isOfSource && (
        <Field label={`Secret of ${title}`} hint={`${title} makes it, and shows it where the webhook is set up.`}>
          <input type="password" autoComplete="off" value={given} onChange={({ target }) => setGiven(target.value)} />
        </Field>
      )}
      <div>
        <Button
          size="sm"
          isBusy={setting.isPending}
          disabled={isOfSource && given === ""}
          onClick={() => setting.mutate()}
        >
          {isOfSource ? "Set the secret" : hasSecret ? "Draw another secret" : "Draw a secret"}
        </Button>
      </div>
      {setting.isError && <ErrorNotice title="The secret was not set." error={setting.error} />}
      {setting.data !== undefined && !isOfSource && <ShownOnce label="Secret" text={setting.data.secret} />}
      {setting.isSuccess && isOfSource && <p className={styles.hint}>The secret is set.</p>}
    </>
  );
}
