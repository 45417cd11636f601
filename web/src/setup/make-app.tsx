/** The form by which an App is made: GitHub asks the rest. */
import { type FormEvent, useState } from "react";
import { beginGithubAppSetup } from "../client/generated.ts";
import { Button } from "../ui/button.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Field } from "../ui/field.tsx";
import { useWrite } from "../write.ts";
import styles from "./setup.module.css";
import { postManifest } from "./setup-return.ts";

export function MakeApp({ webhookUrl }: { webhookUrl: string | null }) {
  const [organization, setOrganization] = useState("");
  const beginning = useWrite({
    mutationFn: (organization: string | null) => beginGithubAppSetup(organization === null ? {} : { organization }),
    onSuccess: postManifest,
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    if (beginning.isPending || beginning.isSuccess) return;
    const name = organization.trim();
    beginning.mutate(name === "" ? null : name);
  }

  return (
    <form className={styles.form} onSubmit={submit}>
      {webhookUrl === null && (
        <p className={styles.note}>
          GitHub can't reach this address, so this App clones and pushes, and gets no webhook. Set{" "}
          <code>PUBLIC_URL</code> to an https address first, if there is one.
        </p>
      )}
      <Field label="Organization" hint="Its name as in its address at GitHub. Leave it empty to own the App yourself.">
        <input
          type="text"
          name="organization"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={organization}
          onChange={(event) => setOrganization(event.target.value)}
        />
      </Field>
      {beginning.isError && <ErrorNotice title="" error={beginning.error} />}
      <Button variant="primary" type="submit" isBusy={beginning.isPending || beginning.isSuccess}>
        Make the App at GitHub
      </Button>
    </form>
  );
}
