CREATE TABLE `health` (
	`id` integer PRIMARY KEY NOT NULL,
	`failures` integer NOT NULL,
	`failing_since` integer,
	`succeeded_at` integer,
	`watched_since` integer NOT NULL,
	`quiet_since` integer
);
--> statement-breakpoint
ALTER TABLE `routine` ADD `paused_by` text;