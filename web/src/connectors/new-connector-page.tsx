/** Makes a connector. */
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Page } from "../shell/page.tsx";
import { BackLink } from "../ui/back-link.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { ConnectorForm } from "./connector-form.tsx";
import { useSaveConnector } from "./connector-queries.ts";
import { NEW_CONNECTOR } from "./connector-words.ts";

export function NewConnectorPage() {
  const navigate = useNavigate();
  const [draft, setDraft] = useState(NEW_CONNECTOR);
  const saving = useSaveConnector(null);
  return (
    <Page title="New connector">
      <BackLink to="/connectors">Connectors</BackLink>
      <PageHead
        title="New connector"
        lead="The instance looks at once whether the server answers, and which tools it has. The connector is kept even if it does not answer."
      />
      <ConnectorForm
        draft={draft}
        onChange={setDraft}
        isSaving={saving.isPending}
        error={saving.error}
        errorTitle="The connector was not made."
        saveLabel="Make connector"
        onSave={() =>
          saving.mutate(draft, {
            onSuccess: ({ id }) => void navigate({ to: "/connectors/$id", params: { id } }),
          })
        }
      />
    </Page>
  );
}
