/** The instance's GitHub App: made here by way of GitHub, shown with where it is installed, and replaced. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { GithubAppState } from "#protocol/github-app.ts";
import { endGithubAppSetup } from "../client/generated.ts";
import { keepAnswer } from "../keep-answer.ts";
import { asProblem, problemOf } from "../problem.ts";
import { githubAppQuery } from "../queries.ts";
import { Page } from "../shell/page.tsx";
import { Card } from "../ui/card.tsx";
import { ErrorNotice, ErrorState } from "../ui/error-state.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { useWrite } from "../write.ts";
import { AppView } from "./app-view.tsx";
import { MakeApp } from "./make-app.tsx";
import styles from "./setup.module.css";
import { keepSetupReturn, type SetupReturn, takeSetupReturn } from "./setup-return.ts";

export function SetupPage() {
  const ending = useEndSetup();
  const query = useQuery({ ...githubAppQuery(), enabled: !ending.isPending });
  const state = query.data;
  return (
    <Page title="GitHub App">
      <PageHead
        title="GitHub App"
        lead="A GitHub App of your own: routines clone and push with tokens for one repository each, and hear of what happens there."
      />
      {ending.isError && (
        <div className={styles.notice}>
          <ErrorNotice title="The App was not taken." error={ending.error} />
        </div>
      )}
      {state === undefined && query.isError && (
        <ErrorState title="It could not be loaded" error={query.error} onRetry={() => void query.refetch()} />
      )}
      {state === undefined && !query.isError && <SkeletonRows label="Loading the GitHub App" rows={2} />}
      {state !== undefined && (
        <Loaded state={{ ...state, replaced: state.replaced ?? ending.data?.replaced ?? null }} />
      )}
    </Page>
  );
}

function Loaded({ state }: { state: GithubAppState }) {
  if (state.app !== null) return <AppView state={state} app={state.app} />;
  return (
    <Card className={styles.card}>
      {state.problem !== null && <ErrorNotice title="" error={problemOf(state.problem)} />}
      <MakeApp webhookUrl={state.webhook_url} />
    </Card>
  );
}

/** Ends the setup that GitHub has sent the browser back from; once, however often the page is drawn. */
function useEndSetup() {
  const queryClient = useQueryClient();
  const ending = useWrite({
    mutationFn: (given: SetupReturn) => endGithubAppSetup(given),
    onSuccess: (state) => keepAnswer(queryClient, githubAppQuery().queryKey, state),
    onError: (error, given) => {
      if (asProblem(error).status === 401) keepSetupReturn(given);
    },
  });
  const { mutate } = ending;
  useEffect(() => {
    const given = takeSetupReturn();
    if (given !== null) mutate(given);
  }, [mutate]);
  return ending;
}
