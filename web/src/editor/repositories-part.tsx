/** The repositories that a run clones, and what it may push to each. */
import { useQuery } from "@tanstack/react-query";
import type { Repository } from "#protocol/repository.ts";
import { Button } from "../ui/button.tsx";
import type { PartProps } from "./basics-part.tsx";
import styles from "./editor.module.css";
import { githubRepositoriesQuery } from "./editor-queries.ts";
import { ToldHere } from "./faults.tsx";
import { LinesField, NumberField, SelectField, TextField } from "./fields.tsx";
import { Row } from "./section.tsx";

const PUSHES = [
  { value: "prefix", text: "Branches of its own" },
  { value: "any", text: "Any branch" },
  { value: "none", text: "Nothing" },
] as const;

export function RepositoriesPart({ draft, set }: PartProps) {
  const { data } = useQuery(githubRepositoriesQuery());
  const { repositories, push_prefix } = draft;
  const change = (next: Repository[]) => set({ repositories: next });
  const seen = (data ?? []).map(({ url }) => url);
  return (
    <section className={styles.part} aria-labelledby="editor-repositories">
      <h2 id="editor-repositories" className={styles.partTitle}>
        Repositories
      </h2>
      <ToldHere path="repositories" />
      {repositories.map((repository, place) => (
        <RepositoryFields
          // biome-ignore lint/suspicious/noArrayIndexKey: a repository has no name while its address is written, and its fields hold nothing of their own
          key={place}
          repository={repository}
          place={place}
          seen={seen}
          prefix={push_prefix}
          onChange={(next) => change(repositories.with(place, next))}
          onRemove={() => change(repositories.toSpliced(place, 1))}
        />
      ))}
      <div>
        <Button size="sm" onClick={() => change([...repositories, { url: "", push: "prefix" }])}>
          {repositories.length === 0 ? "Add a repository" : "Add another"}
        </Button>
      </div>
    </section>
  );
}

interface RepositoryFieldsProps {
  repository: Repository;
  place: number;
  /** Addresses that the GitHub App may see. */
  seen: readonly string[];
  prefix: string;
  onChange: (repository: Repository) => void;
  onRemove: () => void;
}

function RepositoryFields({ repository, place, seen, prefix, onChange, onRemove }: RepositoryFieldsProps) {
  const path = `repositories[${place}]`;
  const { url, branch, push, paths, depth } = repository;
  return (
    <fieldset className={styles.repository} aria-label={`Repository ${place + 1}`}>
      <div className={styles.repositoryLine}>
        <TextField
          label={`Address ${place + 1}`}
          path={`${path}.url`}
          hint={seen.length === 0 ? undefined : "Those that the GitHub App may see are offered as you type"}
          value={url}
          placeholder="https://github.com/acme/app"
          options={seen}
          onChange={(next) => onChange({ ...repository, url: next.trim() })}
        />
        <Button size="sm" variant="ghost" aria-label={`Remove repository ${place + 1}`} onClick={onRemove}>
          Remove
        </Button>
      </div>
      <details className={styles.steps}>
        <summary>
          {branch ?? "Default branch"}, may push {pushWords(push, prefix)}
        </summary>
        <Row>
          <TextField
            label="Branch"
            path={`${path}.branch`}
            hint="Empty: the default branch"
            value={branch ?? ""}
            onChange={(next) => onChange(withKey(repository, "branch", next === "" ? undefined : next))}
          />
          <SelectField
            label="Runs may push"
            path={`${path}.push`}
            value={push}
            options={PUSHES}
            onChange={(next) => onChange({ ...repository, push: next })}
          />
          <NumberField
            label="Commits of history"
            path={`${path}.depth`}
            hint="Empty: 50. 0: all"
            value={depth}
            onChange={(next) => onChange(withKey(repository, "depth", next))}
          />
        </Row>
        <LinesField
          label="Folders"
          path={`${path}.paths`}
          hint="For a large repository: one on each line, and nothing else is fetched. Empty: all of it."
          value={paths ?? []}
          onChange={(next) => onChange(withKey(repository, "paths", next.length === 0 ? undefined : next))}
        />
      </details>
    </fieldset>
  );
}

function withKey<Key extends keyof Repository>(repository: Repository, key: Key, value: Repository[Key] | undefined) {
  const { [key]: _before, ...rest } = repository;
  return (value === undefined ? rest : { ...rest, [key]: value }) as Repository;
}

function pushWords(push: Repository["push"], prefix: string): string {
  if (push === "none") return "nothing";
  return push === "any" ? "to any branch" : `to ${prefix}…`;
}
