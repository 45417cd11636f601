/** Makes an environment. */
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Page } from "../shell/page.tsx";
import { BackLink } from "../ui/back-link.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { EnvironmentForm } from "./environment-form.tsx";
import { useSaveEnvironment } from "./environment-queries.ts";
import { NEW_ENVIRONMENT } from "./environment-words.ts";

export function NewEnvironmentPage() {
  const navigate = useNavigate();
  const [draft, setDraft] = useState(NEW_ENVIRONMENT);
  const saving = useSaveEnvironment(null);
  return (
    <Page title="New environment">
      <BackLink to="/environments">Environments</BackLink>
      <PageHead
        title="New environment"
        lead="Routines name it; what their own variables and hosts add comes on top of it."
      />
      <EnvironmentForm
        draft={draft}
        onChange={setDraft}
        hasFixedName={false}
        isSaving={saving.isPending}
        error={saving.error}
        saveLabel="Make environment"
        onSave={() => saving.mutate(draft, { onSuccess: () => void navigate({ to: "/environments" }) })}
      />
    </Page>
  );
}
