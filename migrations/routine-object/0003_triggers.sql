CREATE TABLE `bursts` (
	`trigger_id` text NOT NULL,
	`key` text NOT NULL,
	`run_id` text NOT NULL,
	`ends_at` integer NOT NULL,
	PRIMARY KEY(`trigger_id`, `key`)
);
--> statement-breakpoint
CREATE TABLE `endpoints` (
	`trigger_id` text PRIMARY KEY NOT NULL,
	`secret` text NOT NULL,
	`previous` text NOT NULL,
	`is_unseen` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `repository_ids` (
	`full_name` text PRIMARY KEY NOT NULL,
	`repository_id` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `schedules` (
	`trigger_id` text PRIMARY KEY NOT NULL,
	`spec` text NOT NULL,
	`claimed_until` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `runs` ADD `checkout` text;