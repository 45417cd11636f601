CREATE TABLE `artifacts` (
	`id` text PRIMARY KEY NOT NULL,
	`session_id` text NOT NULL,
	`run_id` text NOT NULL,
	`name` text NOT NULL,
	`media_type` text NOT NULL,
	`bytes` integer NOT NULL,
	`at` integer NOT NULL,
	`is_whole` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `artifacts_by_session` ON `artifacts` (`session_id`,`at`);--> statement-breakpoint
CREATE INDEX `artifacts_by_run` ON `artifacts` (`run_id`);--> statement-breakpoint
CREATE INDEX `artifacts_by_time` ON `artifacts` (`at`);