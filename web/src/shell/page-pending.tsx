/** While a page's own code is being loaded, and that takes a while. */
import { Card } from "../ui/card.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Page } from "./page.tsx";

export function PagePending() {
  return (
    <Page title="Reveille">
      <h1 className="visually-hidden">Reveille</h1>
      <Card>
        <SkeletonRows label="Loading the page" />
      </Card>
    </Page>
  );
}
