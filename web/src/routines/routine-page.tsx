/** One routine. */
import { Page } from "../shell/page.tsx";

export function RoutinePage() {
  return (
    <Page title="Routine">
      <h1>Routine</h1>
    </Page>
  );
}
