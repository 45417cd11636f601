CREATE TABLE `messages` (
	`session_id` text NOT NULL,
	`n` integer NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`text` text NOT NULL,
	`by` text NOT NULL,
	`at` integer NOT NULL,
	`run_id` text NOT NULL,
	`taken_at` integer,
	PRIMARY KEY(`session_id`, `n`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `messages_by_id` ON `messages` (`session_id`,`id`);--> statement-breakpoint
CREATE INDEX `messages_waiting` ON `messages` (`run_id`,`n`) WHERE taken_at IS NULL;--> statement-breakpoint
DROP INDEX `runs_unsettled`;--> statement-breakpoint
ALTER TABLE `runs` ADD `features` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `ending` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `before` text;--> statement-breakpoint
CREATE INDEX `runs_unsettled` ON `runs` (`status`,`id`,`not_before`) WHERE status IN ('queued', 'starting', 'running', 'waiting');