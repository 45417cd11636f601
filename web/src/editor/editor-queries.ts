/** What the editor reads: what there is to choose among, and what a trigger would do. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { TriggerInput } from "#protocol/triggers.ts";
import * as api from "../client/generated.ts";
import { readAll } from "../read-all.ts";
import { type Draft, textOf } from "./draft.ts";
import type { ScheduleInput } from "./triggers/kinds.ts";

const SELDOM_MS = 300_000;

export function listenersQuery() {
  return queryOptions({
    queryKey: ["listeners"],
    queryFn: ({ signal }) => api.listListeners({ signal }),
    staleTime: SELDOM_MS,
  });
}

export function githubEventsQuery() {
  return queryOptions({
    queryKey: ["github-events"],
    queryFn: ({ signal }) => api.listGithubEvents({ signal }),
    staleTime: SELDOM_MS,
  });
}

export function githubRepositoriesQuery() {
  return queryOptions({
    queryKey: ["github-repositories"],
    queryFn: ({ signal }) =>
      readAll(({ cursor }) => api.listGithubRepositories(cursor === undefined ? {} : { cursor }, { signal })),
    staleTime: SELDOM_MS,
  });
}

export function environmentsQuery() {
  return queryOptions({
    queryKey: ["environments", "all"],
    queryFn: ({ signal }) => api.listEnvironments({ limit: 100 }, { signal }),
  });
}

export function poolsQuery() {
  return queryOptions({
    queryKey: ["pools", "all"],
    queryFn: ({ signal }) => api.listPools({ limit: 100 }, { signal }),
  });
}

export function routineNamesQuery() {
  return queryOptions({
    queryKey: ["routines", "names"],
    queryFn: ({ signal }) => api.listRoutines({ limit: 100 }, { signal }),
  });
}

export function scheduleTimesQuery(trigger: ScheduleInput) {
  return queryOptions({
    queryKey: ["schedule-times", textOf(trigger)],
    queryFn: ({ signal }) => api.previewSchedule({ trigger, count: 5 } as api.SchedulePreviewInput, { signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });
}

export interface Trial {
  trigger: TriggerInput;
  repositories: { url: string }[];
  routine_id?: string;
}

export function trialQuery(trial: Trial) {
  return queryOptions({
    queryKey: ["trigger-trial", textOf(trial)],
    queryFn: ({ signal }) => api.tryTrigger(trial as api.TriggerTrialInput, { signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });
}

/** @param id of the routine that is changed; null for a new one. */
export function validationQuery(draft: Draft, id: string | null) {
  return queryOptions({
    queryKey: ["validation", id, textOf(draft)],
    queryFn: ({ signal }) => api.validateRoutine(draft, id === null ? {} : { routine: id }, { signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });
}
