/** Learns from every event of GitHub's, before routines get it, which repository a name stands for and what the App sees. */
import type { RepositoryLesson } from "#durable-objects/routine/definition/repository-ids.ts";
import { withinDeadline } from "#instance/in-time.ts";
import { logTrouble } from "#protocol/log.ts";
import type { JsonObject } from "#protocol/schema.ts";
import type { RoutineStub } from "../bindings.ts";
import type { StoredDelivery } from "../store/deliveries.ts";
import type { GithubApp } from "../store/github-app.ts";
import type { NamedRepository, RepositoryNames } from "../store/repository-names.ts";
import type { DeliveryReading } from "./read-delivery.ts";
import { readInstallation } from "./sources/github/installation.ts";
import { type RepositoryNews, readOwnerRename, readRepositoryNews } from "./sources/github/repository-news.ts";
import { isObject } from "./sources/payload.ts";

export interface LearningParts {
  names: RepositoryNames;
  githubApp: GithubApp;
  ownerOf(id: string): RoutineStub;
}

/** An object has this long to learn; it takes up to five seconds by itself until D1 finds it by what it has learned. */
const LESSON_DEADLINE_MS = 10_000;

/** What GitHub tells of repositories by a delivery. */
export interface Told {
  delivery: StoredDelivery;
  name: string;
  payload: JsonObject;
}

/**
 * @returns nothing for a delivery that has been handled before: it has been learned from, and what it tells may be out of
 * date.
 */
export function toldBy({ delivery, reading }: { delivery: StoredDelivery; reading: DeliveryReading | null }): Told[] {
  if (reading === null || (delivery.status !== "stored" && delivery.status !== "failed")) return [];
  if (reading.kind === "ignored") return reading.told === undefined ? [] : [{ delivery, ...reading.told }];
  const { name, payload, github } = reading.event;
  return github === null || !isObject(payload) ? [] : [{ delivery, name, payload }];
}

/** Events that change what is known of repositories: told again by GitHub, they change nothing more. */
export const CHANGING_EVENTS = ["installation", "installation_repositories", "installation_target", "organization"];

/** Whether an event tells more than that something has come from a repository: it is learned alone, and in its turn. */
export function isChange(event: string, payload: JsonObject): boolean {
  if (CHANGING_EVENTS.includes(event)) return true;
  const news = readRepositoryNews(event, payload);
  return news !== null && (news.formerly !== null || news.is_newcomer || news.is_gone || news.is_unhooked);
}

/**
 * Learns from events that are no changes.
 * @returns the events that have to be learned from again, because a routine could not be told what follows from them.
 */
export async function learnSeen(parts: LearningParts, events: readonly Told[], nowMs: number): Promise<Told[]> {
  const told = events.map((event) => ({ event, news: readRepositoryNews(event.name, event.payload) }));
  const all = told.flatMap(({ news }) => news ?? []);
  // Of one repository under one name, each kind of event through each way once.
  const distinct = new Map(all.map((one) => [[one.id, one.name, one.installation_id, one.event].join(" "), one]));
  const news = [...distinct.values()];
  if (news.length === 0) return [];
  const untold = await learnNames(parts, news, nowMs);
  await parts.githubApp.noteNews(news, nowMs);
  return told.flatMap((one) => (one.news !== null && untold.has(one.news.name) ? one.event : []));
}

/** @throws Error when a routine can't be told what follows from it: then the event is learned from again. */
export async function learnChange(
  parts: LearningParts,
  event: string,
  payload: JsonObject,
  nowMs: number,
): Promise<void> {
  const installation = readInstallation(event, payload);
  if (installation !== null) {
    const added = installation.added.map(({ id, full_name }) => ({ id, name: full_name.toLowerCase(), host: null }));
    allTold(await learnNames(parts, added, nowMs));
    await parts.githubApp.note(installation, nowMs);
  }
  const owner = readOwnerRename(event, payload);
  if (owner !== null) await parts.names.renameOwner(owner.from, owner.to, nowMs);
  const news = readRepositoryNews(event, payload);
  if (news !== null) await learnFate(parts, news, nowMs);
}

async function learnFate(parts: LearningParts, news: RepositoryNews, nowMs: number): Promise<void> {
  const { id, name, host, formerly } = news;
  if (news.is_gone || news.is_unhooked) {
    if (news.is_gone) allTold(await teach(parts, [{ name, host, id, at: nowMs, kind: "had" }]));
    await parts.names.noteFormer([{ id, name }], nowMs);
  } else {
    if (formerly !== null) {
      allTold(await teach(parts, [{ name: formerly, host, id, at: nowMs, kind: "had" }]));
      await parts.names.noteFormer([{ id, name: formerly }], nowMs);
    }
    allTold(await learnNames(parts, [news], nowMs));
    if (news.is_newcomer) allTold(await teach(parts, [{ name, host, id, at: nowMs, kind: "came" }]));
  }
  await parts.githubApp.noteNews([news], nowMs);
}

/**
 * Routines that name a repository mean the one that had this name so far: they are told its id before the name passes on.
 * @returns the names that have not passed on, because a routine could not be told.
 */
async function learnNames(
  parts: LearningParts,
  named: readonly (NamedRepository & { host: string | null })[],
  nowMs: number,
): Promise<Set<string>> {
  if (named.length === 0) return new Set();
  const given = named.map(({ id, name }) => ({ id, name }));
  const others = await parts.names.othersBefore(given);
  const hostOf = (name: string) => named.find((one) => one.name === name)?.host ?? null;
  const lessons = others.map(
    ({ name, id, seen_at }): RepositoryLesson => ({ name, host: hostOf(name), id, at: seen_at, kind: "had" }),
  );
  const untold = await teach(parts, lessons);
  await parts.names.note(
    given.filter(({ name }) => !untold.has(name)),
    nowMs,
  );
  return untold;
}

/** Tells routines, all at once: one that does not answer holds up no other. @returns the names of which one was not told. */
async function teach({ names, ownerOf }: LearningParts, lessons: readonly RepositoryLesson[]): Promise<Set<string>> {
  const untold = new Set<string>();
  const routines = await names.routinesNaming(lessons.map(({ name }) => name));
  const tell = async ([routineId, meant]: [string, string[]]) => {
    try {
      const own = lessons.filter(({ name }) => meant.includes(name));
      const told = await withinDeadline(ownerOf(routineId).learnRepositories(own), LESSON_DEADLINE_MS);
      if (!told.ok && told.refusal.code !== "not_found") throw new Error(told.refusal.code);
    } catch (error) {
      logTrouble("repositories_not_told", { routine_id: routineId }, error);
      for (const name of meant) untold.add(name);
    }
  };
  await Promise.all([...routines].map(tell));
  return untold;
}

function allTold(untold: ReadonlySet<string>): void {
  if (untold.size > 0) throw new Error("a routine could not be told");
}
