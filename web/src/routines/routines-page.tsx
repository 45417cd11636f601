/** All routines, and what ran last. */
import { Page } from "../shell/page.tsx";

export function RoutinesPage() {
  return (
    <Page title="Routines">
      <h1>Routines</h1>
    </Page>
  );
}
