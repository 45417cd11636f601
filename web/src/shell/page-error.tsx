/** Where a page's own code has failed, or could not be loaded. */
import { ErrorState } from "../ui/error-state.tsx";
import { Page } from "./page.tsx";

export function PageError({ error }: { error: unknown }) {
  return (
    <Page title="Something went wrong">
      <ErrorState title="This page could not be shown" error={error} onRetry={() => location.reload()} />
    </Page>
  );
}
