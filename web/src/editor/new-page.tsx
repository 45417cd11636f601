/** A new routine: from a template, from nothing, or as the copy of another one. */
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { routineQuery } from "../queries.ts";
import { NotFound } from "../shell/not-found.tsx";
import { Page } from "../shell/page.tsx";
import crumbs from "../ui/back-link.module.css";
import { Card } from "../ui/card.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { ChevronLeftIcon } from "../ui/icons.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Choice } from "./choice.tsx";
import { copyOf, type Draft, draftOf, EMPTY_DRAFT, textOf } from "./draft.ts";
import { DraftQuestions } from "./drafting/draft-questions.tsx";
import { type DraftedFrom, draftedQuery, OWN_WORDS } from "./drafting/use-drafting.ts";
import styles from "./editor.module.css";
import { Editor } from "./editor.tsx";
import { FieldLink } from "./field-link.tsx";
import { TEMPLATES } from "./templates/all.ts";
import { draftOfTemplate } from "./templates/template.ts";
import { ownZone } from "./zones.ts";

export function NewRoutinePage() {
  const { template: slug, from } = useSearch({ from: "/routines/new" });
  const { data: drafted } = useQuery(draftedQuery);
  if (from !== undefined) return <Duplicate id={from} />;
  if (slug === OWN_WORDS && drafted !== undefined) return <BeginDrafted from={drafted} />;
  // A draft is gone with the page that it was written for.
  if (slug === undefined || slug === OWN_WORDS) {
    return (
      <Page title="New routine">
        <nav aria-label="Breadcrumb" className={crumbs.crumbs}>
          <Link to="/routines">
            <ChevronLeftIcon size={14} />
            Routines
          </Link>
        </nav>
        <h1 className={styles.title}>New routine</h1>
        <p className={styles.lead}>
          A routine is a prompt for an agent, the repositories that it works on, and what wakes it.
        </p>
        <Choice />
      </Page>
    );
  }
  if (slug === "empty") return <Begin title="New routine" initial={EMPTY_DRAFT} />;
  const template = TEMPLATES.find((one) => one.slug === slug);
  if (template === undefined) return <NotFound what="template" />;
  return <Begin title={template.title} lead={template.what} initial={draftOfTemplate(template, ownZone())} />;
}

/** Each draft is begun anew with: what was changed of the one before is not carried over. */
function BeginDrafted({ from }: { from: DraftedFrom }) {
  const draft = from.drafted.draft as Draft;
  return (
    <Page title="New routine">
      <div className={styles.page}>
        <nav aria-label="Breadcrumb" className={crumbs.crumbs}>
          <Link to="/routines/new">
            <ChevronLeftIcon size={14} />
            Templates
          </Link>
        </nav>
        <h1 className={styles.title}>{draft.name}</h1>
        <p className={styles.lead}>{from.text}</p>
        <DraftQuestions key={textOf(from.drafted)} from={from} />
        <Editor key={textOf(draft)} initial={draft} untouched={EMPTY_DRAFT} routine={null} />
      </div>
    </Page>
  );
}

function Duplicate({ id }: { id: string }) {
  const { data, error, refetch } = useQuery({ ...routineQuery(id), refetchInterval: false });
  if (data !== undefined) return <Begin title={`Copy of ${data.name}`} initial={copyOf(draftOf(data))} />;
  return (
    <Page title="New routine">
      <h1 className="visually-hidden">New routine</h1>
      <Card>
        {error === null ? (
          <SkeletonRows label="Loading the routine" />
        ) : (
          <ErrorState title="The routine could not be loaded" error={error} onRetry={() => refetch()} />
        )}
      </Card>
    </Page>
  );
}

function Begin({ title, lead, initial }: { title: string; lead?: string; initial: typeof EMPTY_DRAFT }) {
  return (
    <Page title="New routine">
      <div className={styles.page}>
        <nav aria-label="Breadcrumb" className={crumbs.crumbs}>
          <Link to="/routines/new">
            <ChevronLeftIcon size={14} />
            Templates
          </Link>
        </nav>
        <h1 className={styles.title}>{title}</h1>
        {lead !== undefined && <p className={styles.lead}>{lead}</p>}
        {initial.repositories.some(({ url }) => url === "") && (
          <p className={styles.lead}>
            What it lacks is <FieldLink path="repositories[0].url">the address of a repository</FieldLink>.
          </p>
        )}
        <Editor initial={initial} routine={null} />
      </div>
    </Page>
  );
}
