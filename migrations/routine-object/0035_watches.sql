CREATE TABLE `watched_items` (
	`trigger_id` text NOT NULL,
	`key` text NOT NULL,
	`hash` text NOT NULL,
	`look` integer NOT NULL,
	PRIMARY KEY(`trigger_id`, `key`)
);
--> statement-breakpoint
CREATE TABLE `watches` (
	`trigger_id` text PRIMARY KEY NOT NULL,
	`spec` text NOT NULL,
	`look` integer NOT NULL,
	`look_at` integer NOT NULL,
	`has_baseline` integer NOT NULL,
	`looked_at` integer,
	`items` integer NOT NULL,
	`failures` integer NOT NULL,
	`fault` text
);
