CREATE TABLE `session_diffs` (
	`session_id` text PRIMARY KEY NOT NULL,
	`run_id` text NOT NULL,
	`at` integer NOT NULL,
	`body` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `session_diffs_by_time` ON `session_diffs` (`at`);