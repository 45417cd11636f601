CREATE TABLE `new_deadlines` (
	`ref` text NOT NULL,
	`kind` text NOT NULL,
	`due_at` integer NOT NULL,
	PRIMARY KEY(`ref`, `kind`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `new_deadlines` SELECT `ref`, `kind`, `due_at` FROM `deadlines`;--> statement-breakpoint
DROP TABLE `deadlines`;--> statement-breakpoint
ALTER TABLE `new_deadlines` RENAME TO `deadlines`;--> statement-breakpoint
CREATE TABLE `new_outbox` (
	`kind` text NOT NULL,
	`ref` text NOT NULL,
	`tries` integer DEFAULT 0 NOT NULL,
	`due_at` integer NOT NULL,
	`stamp` integer NOT NULL,
	PRIMARY KEY(`kind`, `ref`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `new_outbox` SELECT `kind`, `ref`, `tries`, `due_at`, `stamp` FROM `outbox`;--> statement-breakpoint
DROP TABLE `outbox`;--> statement-breakpoint
ALTER TABLE `new_outbox` RENAME TO `outbox`;--> statement-breakpoint
CREATE TABLE `new_occurrences` (
	`id` text PRIMARY KEY NOT NULL,
	`doc` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `new_occurrences` SELECT `id`, `doc` FROM `occurrences`;--> statement-breakpoint
DROP TABLE `occurrences`;--> statement-breakpoint
ALTER TABLE `new_occurrences` RENAME TO `occurrences`;--> statement-breakpoint
CREATE TABLE `new_idempotency_keys` (
	`key` text PRIMARY KEY NOT NULL,
	`fingerprint` text NOT NULL,
	`occurrence_id` text NOT NULL,
	`at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `new_idempotency_keys` SELECT `key`, `fingerprint`, `occurrence_id`, `at` FROM `idempotency_keys`;--> statement-breakpoint
DROP TABLE `idempotency_keys`;--> statement-breakpoint
ALTER TABLE `new_idempotency_keys` RENAME TO `idempotency_keys`;--> statement-breakpoint
CREATE INDEX `idempotency_keys_by_age` ON `idempotency_keys` (`at`);--> statement-breakpoint
CREATE TABLE `new_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`title` text NOT NULL,
	`created_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `new_sessions` SELECT `id`, `title`, `created_at` FROM `sessions`;--> statement-breakpoint
DROP TABLE `sessions`;--> statement-breakpoint
ALTER TABLE `new_sessions` RENAME TO `sessions`;--> statement-breakpoint
DROP INDEX `runs_by_status`;--> statement-breakpoint
CREATE INDEX `runs_unsettled` ON `runs` (`status`,`id`,`not_before`) WHERE status IN ('queued', 'starting', 'running');
