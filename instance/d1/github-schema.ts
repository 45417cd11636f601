/** D1, what it has of GitHub: the App that the instance has set up, where it is installed, and the names of repositories. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * Repositories that the GitHub App was given, as its deliveries told.
 * @public for drizzle-kit, which makes the migrations of it.
 */
export const githubRepositories = sqliteTable(
  "github_repositories",
  {
    id: integer().primaryKey(),
    /** In lower case. */
    fullName: text("full_name").notNull(),
    isPrivate: integer("is_private", { mode: "boolean" }).notNull(),
    installationId: integer("installation_id").notNull(),
    account: text().notNull(),
  },
  (table) => [
    index("github_repositories_by_name").on(table.fullName),
    index("github_repositories_by_installation").on(table.installationId),
  ],
);

/**
 * What the instance itself keeps encrypted (`instance/key-ring.ts`): so far the GitHub App.
 * @public for drizzle-kit, which makes the migrations of it.
 */
export const sealedDocuments = sqliteTable("sealed_documents", {
  name: text().primaryKey(),
  sealed: text().notNull(),
  changedAt: integer("changed_at").notNull(),
});

/**
 * Setups of the GitHub App that have begun: each can be ended once.
 * @public for drizzle-kit, which makes the migrations of it.
 */
export const setupStates = sqliteTable("setup_states", {
  hash: text().primaryKey(),
  expiresAt: integer("expires_at").notNull(),
});

/**
 * Installations of the GitHub App; also those that have ended: events overtake each other.
 * @public for drizzle-kit, which makes the migrations of it.
 */
export const githubInstallations = sqliteTable("github_installations", {
  id: integer().primaryKey(),
  account: text().notNull(),
  isSuspended: integer("is_suspended", { mode: "boolean" }).notNull(),
  isDeleted: integer("is_deleted", { mode: "boolean" }).notNull(),
  /** JSON: the events that the App is sent; null where it is not known. */
  events: text(),
  /** When the payload that told this was written; null where it does not say. */
  toldAt: integer("told_at"),
  notedAt: integer("noted_at").notNull(),
});

/**
 * Repositories of which something is known beside what the App was given.
 * @public for drizzle-kit, which makes the migrations of it.
 */
export const githubSeen = sqliteTable("github_seen", {
  id: integer().primaryKey(),
  /** When a webhook of its own, or of its organization, last told something, to the hour. */
  hookAt: integer("hook_at"),
  /** When it was deleted. */
  goneAt: integer("gone_at"),
  /** When the App was last denied it. */
  leftAt: integer("left_at"),
});

/**
 * Which repository has a name, or had it last. Names are in lower case.
 * @public for drizzle-kit, which makes the migrations of it.
 */
export const repositoryNames = sqliteTable(
  "repository_names",
  {
    fullName: text("full_name").primaryKey(),
    /** 0 while it is not known. */
    repositoryId: integer("repository_id").notNull(),
    /** While it is not known: the name that the repository has since its owner was renamed. */
    successor: text(),
    /** When something last came from it under this name. */
    seenAt: integer("seen_at").notNull(),
  },
  (table) => [
    index("repository_names_by_id").on(table.repositoryId),
    index("repository_names_by_successor").on(table.successor),
  ],
);
