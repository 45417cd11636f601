/** Learns from every event of GitHub's, before it is offered, which repository a name stands for and what the App sees. */
import type { RepositoryLesson } from "#durable-objects/repository-ids.ts";
import type { JsonObject } from "#protocol/schema.ts";
import { readInstallation } from "../listeners/github/installation.ts";
import { type RepositoryNews, readOwnerRename, readRepositoryNews } from "../listeners/github/repository-news.ts";
import type { RoutineStub } from "../routine-stub.ts";
import type { GithubApp } from "../store/github-app.ts";
import type { NamedRepository, RepositoryNames } from "../store/repository-names.ts";

export interface LearningParts {
  names: RepositoryNames;
  githubApp: GithubApp;
  ownerOf(id: string): RoutineStub;
}

/** Events that change what is known of repositories: told again by GitHub, they change nothing more. */
export const CHANGING_EVENTS = ["installation", "installation_repositories", "installation_target", "organization"];

/** Whether an event tells more than that something has come from a repository: it is learned alone, and in its turn. */
export function isChange(event: string, payload: JsonObject): boolean {
  if (CHANGING_EVENTS.includes(event)) return true;
  const news = readRepositoryNews(event, payload);
  return news !== null && (news.formerly !== null || news.is_newcomer || news.is_gone || news.is_unhooked);
}

/** Learns from events that are no changes. */
export async function learnSeen(
  parts: LearningParts,
  events: readonly { name: string; payload: JsonObject }[],
  nowMs: number,
): Promise<void> {
  const all = events.map(({ name, payload }) => readRepositoryNews(name, payload)).filter((news) => news !== null);
  // Of one repository under one name, each kind of event through each way once.
  const distinct = new Map(all.map((one) => [[one.id, one.name, one.installation_id, one.event].join(" "), one]));
  const news = [...distinct.values()];
  if (news.length === 0) return;
  await learnNames(parts, news, nowMs);
  await parts.githubApp.noteNews(news, nowMs);
}

export async function learnChange(
  parts: LearningParts,
  event: string,
  payload: JsonObject,
  nowMs: number,
): Promise<void> {
  const installation = readInstallation(event, payload);
  if (installation !== null) {
    const added = installation.added.map(({ id, full_name }) => ({ id, name: full_name.toLowerCase(), host: null }));
    await learnNames(parts, added, nowMs);
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
    if (news.is_gone) await teach(parts, [{ name, host, id, at: nowMs, kind: "had" }]);
    await parts.names.noteFormer([{ id, name }], nowMs);
  } else {
    if (formerly !== null) {
      await teach(parts, [{ name: formerly, host, id, at: nowMs, kind: "had" }]);
      await parts.names.noteFormer([{ id, name: formerly }], nowMs);
    }
    await learnNames(parts, [news], nowMs);
    if (news.is_newcomer) await teach(parts, [{ name, host, id, at: nowMs, kind: "came" }]);
  }
  await parts.githubApp.noteNews([news], nowMs);
}

/** Who had a name until now is what routines mean that have named it since: they learn so before the name passes on. */
async function learnNames(
  parts: LearningParts,
  named: readonly (NamedRepository & { host: string | null })[],
  nowMs: number,
): Promise<void> {
  if (named.length === 0) return;
  const given = named.map(({ id, name }) => ({ id, name }));
  const others = await parts.names.othersBefore(given);
  const hostOf = (name: string) => named.find((one) => one.name === name)?.host ?? null;
  const lessons = others.map(
    ({ name, id, seen_at }): RepositoryLesson => ({ name, host: hostOf(name), id, at: seen_at, kind: "had" }),
  );
  await teach(parts, lessons);
  await parts.names.note(given, nowMs);
}

/** @throws Error when a routine can't be told: then the event is learned from again. */
async function teach({ names, ownerOf }: LearningParts, lessons: readonly RepositoryLesson[]): Promise<void> {
  const routines = await names.routinesNaming(lessons.map(({ name }) => name));
  for (const [routineId, meant] of routines) {
    const own = lessons.filter(({ name }) => meant.includes(name));
    const told = await ownerOf(routineId).learnRepositories(own);
    if (!told.ok && told.refusal.code !== "not_found") throw new Error(told.refusal.code);
  }
}
