/** A session's page. */
import { useParams } from "@tanstack/react-router";
import { Page } from "../shell/page.tsx";

export function SessionPage() {
  const { id } = useParams({ from: "/sessions/$id" });
  return (
    <Page title="Session">
      <h1>{id}</h1>
    </Page>
  );
}
