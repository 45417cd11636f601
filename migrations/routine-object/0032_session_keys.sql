CREATE TABLE `session_keys` (
	`key` text PRIMARY KEY NOT NULL,
	`session_id` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `session_keys_by_session` ON `session_keys` (`session_id`);--> statement-breakpoint
ALTER TABLE `messages` ADD `event` text;--> statement-breakpoint
CREATE INDEX `runs_unsettled_by_session` ON `runs` (`session_id`,`id`) WHERE status IN ('queued', 'starting', 'running', 'waiting');