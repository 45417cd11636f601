/** The parts of a routine that are closed at first: each says what is set in a line. */
import { useQuery } from "@tanstack/react-query";
import type { Overlap } from "#protocol/routine.ts";
import type { PartProps } from "./basics-part.tsx";
import { Check } from "./checks.tsx";
import styles from "./editor.module.css";
import { environmentsQuery, poolsQuery } from "./editor-queries.ts";
import { LinesField, NumberField, SelectField, TextField } from "./fields.tsx";
import { PairsField } from "./pairs-field.tsx";
import {
  budgetSentence,
  environmentLine,
  limitsLine,
  otherLine,
  overlapSentence,
  pauseSentence,
  retrySentence,
  toolsLine,
} from "./policies.ts";
import { Row, Section } from "./section.tsx";

export function EnvironmentSection({ draft, set }: PartProps) {
  const environments = useQuery(environmentsQuery()).data?.data ?? [];
  const pools = useQuery(poolsQuery()).data?.data ?? [];
  const names = [...new Set(["default", ...environments.map(({ name }) => name), draft.environment])];
  const places = [
    ...new Set([
      "default",
      ...pools.flatMap(({ name }) => (name === "default" ? [] : [`pool:${name}`])),
      draft.runs_on,
    ]),
  ];
  return (
    <Section
      title="Environment"
      value={environmentLine(draft)}
      paths={["environment", "runs_on", "variables", "network"]}
    >
      <Row>
        <SelectField
          label="Environment"
          path="environment"
          hint="What its sandbox may reach, its variables, and what prepares it"
          value={draft.environment}
          options={names.map((value) => ({ value, text: value }))}
          onChange={(environment) => set({ environment })}
        />
        <SelectField
          label="Runs on"
          path="runs_on"
          value={draft.runs_on}
          options={places.map((value) => ({ value, text: value === "default" ? "The instance's own runners" : value }))}
          onChange={(runs_on) => set({ runs_on: runs_on as typeof draft.runs_on })}
        />
      </Row>
      <PairsField
        label="Variables"
        path="variables"
        hint="Beside the environment's, one on each line. {{NAME}} stands for a secret: the agent can then read it."
        placeholder="LOG_LEVEL=debug"
        value={draft.variables}
        onChange={(variables) => set({ variables })}
      />
      <LinesField
        label="More hosts"
        path="network.allow"
        hint="Beside those that the environment allows, one on each line"
        placeholder="files.example.com"
        value={draft.network.allow}
        onChange={(allow) => set({ network: { allow } })}
      />
    </Section>
  );
}

const OVERLAPS: { value: Overlap; text: string }[] = [
  { value: "parallel", text: "Start beside it" },
  { value: "queue", text: "Wait for it, in order" },
  { value: "queue_latest", text: "Wait for it, the newest alone" },
  { value: "skip", text: "Be skipped" },
  { value: "cancel_running", text: "Take its place" },
];

export function OverlapSection({ draft, set }: PartProps) {
  const { overlap, max_concurrent, retry } = draft;
  return (
    <Section
      title="When runs meet, and fail"
      value={overlapSentence(draft)}
      paths={["overlap", "max_concurrent", "retry"]}
    >
      <Row>
        <SelectField
          label="While a run is on, new ones"
          path="overlap"
          hint={overlapSentence(draft)}
          value={overlap}
          options={OVERLAPS}
          onChange={(next) => set({ overlap: next })}
        />
        {overlap === "parallel" && (
          <NumberField
            label="At once"
            path="max_concurrent"
            value={max_concurrent}
            onChange={(next) => set({ max_concurrent: next ?? Number.NaN })}
          />
        )}
      </Row>
      <Row>
        <NumberField
          label="Tries again"
          path="retry.max"
          hint={retrySentence(retry)}
          value={retry.max}
          onChange={(max) => set({ retry: { ...retry, max: max ?? Number.NaN } })}
        />
        <TextField
          label="First after"
          path="retry.backoff"
          value={retry.backoff}
          onChange={(backoff) => set({ retry: { ...retry, backoff } })}
        />
      </Row>
    </Section>
  );
}

export function LimitsSection({ draft, set }: PartProps) {
  const { limits } = draft;
  const change = (next: Partial<typeof limits>) => set({ limits: { ...limits, ...next } });
  return (
    <Section title="Limits and budgets" value={limitsLine(draft)} paths={["limits"]}>
      <Row>
        <TextField
          label="Longest time of a run"
          path="limits.timeout"
          hint="For example 30m or 2h"
          value={limits.timeout}
          onChange={(timeout) => change({ timeout })}
        />
        <NumberField
          label="Turns of the agent"
          path="limits.turns"
          value={limits.turns}
          onChange={(turns) => change({ turns: turns ?? Number.NaN })}
        />
      </Row>
      <Row>
        <NumberField
          label="Budget of a run, US dollars"
          path="limits.budget_usd"
          hint={budgetSentence(limits)}
          step="any"
          value={limits.budget_usd}
          onChange={(budget_usd) => change({ budget_usd })}
        />
        <NumberField
          label="Budget of a month, US dollars"
          path="limits.monthly_budget_usd"
          step="any"
          value={limits.monthly_budget_usd}
          onChange={(monthly_budget_usd) => change({ monthly_budget_usd })}
        />
      </Row>
      <Row>
        <TextField
          label="People have to answer within"
          path="limits.answer"
          value={limits.answer}
          onChange={(answer) => change({ answer })}
        />
        <TextField
          label="A waiting run keeps its sandbox for"
          path="limits.hold"
          value={limits.hold}
          onChange={(hold) => change({ hold })}
        />
      </Row>
      <NumberField
        label="Failures in a row"
        path="limits.failures"
        hint={pauseSentence(limits.failures)}
        value={limits.failures}
        onChange={(failures) => change({ failures: failures ?? Number.NaN })}
      />
    </Section>
  );
}

export function ToolsSection({ draft, set }: PartProps) {
  const { tools } = draft;
  const { allow, ...others } = tools;
  return (
    <Section title="Tools" value={toolsLine(draft)} paths={["tools"]}>
      <p className={styles.hint}>
        One rule on each line: a tool’s name such as <code>WebFetch</code>, or commands of the shell such as{" "}
        <code>Bash(git push:*)</code>.
      </p>
      <LinesField
        label="Refused"
        path="tools.deny"
        value={tools.deny}
        onChange={(deny) => set({ tools: { ...tools, deny } })}
      />
      <LinesField
        label="Let through once a person has approved"
        path="tools.ask"
        value={tools.ask}
        onChange={(ask) => set({ tools: { ...tools, ask } })}
      />
      <Check
        label="Nothing but what is listed here is let through"
        isChecked={allow !== undefined}
        onChange={(isChecked) => set({ tools: isChecked ? { ...tools, allow: ["Read", "Grep", "Glob"] } : others })}
      />
      {allow !== undefined && (
        <LinesField
          label="Let through"
          path="tools.allow"
          value={allow}
          onChange={(next) => set({ tools: { ...tools, allow: next } })}
        />
      )}
    </Section>
  );
}

export function OtherSection({ draft, set }: PartProps) {
  const { model: _model, ...withoutModel } = draft;
  return (
    <Section title="Model, branches and tags" value={otherLine(draft)} paths={["model", "push_prefix", "tags"]}>
      <Row>
        <TextField
          label="Model"
          path="model"
          hint="Empty: the instance's own"
          value={draft.model ?? ""}
          options={["haiku", "sonnet", "opus"]}
          onChange={(model) => set(model === "" ? { ...withoutModel, model: undefined } : { model })}
        />
        <TextField
          label="Its branches begin with"
          path="push_prefix"
          value={draft.push_prefix}
          onChange={(push_prefix) => set({ push_prefix })}
        />
      </Row>
      <PairsField
        label="Tags"
        path="tags"
        hint="One on each line, to find routines and their costs by"
        placeholder="team=docs"
        value={draft.tags}
        onChange={(tags) => set({ tags })}
      />
    </Section>
  );
}
