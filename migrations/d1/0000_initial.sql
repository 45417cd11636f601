CREATE TABLE `routines` (
	`id` text PRIMARY KEY NOT NULL,
	`doc` text NOT NULL,
	`version` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `runs` (
	`id` text PRIMARY KEY NOT NULL,
	`routine_id` text NOT NULL,
	`status` text NOT NULL,
	`trigger_type` text NOT NULL,
	`doc` text NOT NULL,
	`version` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `runs_by_routine` ON `runs` (`routine_id`,`id`);--> statement-breakpoint
CREATE INDEX `runs_by_status` ON `runs` (`status`,`id`);--> statement-breakpoint
CREATE TABLE `sign_in_codes` (
	`hash` text PRIMARY KEY NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `web_session_objects` (
	`hash` text NOT NULL,
	`routine_key` text NOT NULL,
	`id` text NOT NULL,
	PRIMARY KEY(`hash`, `routine_key`)
);
--> statement-breakpoint
CREATE TABLE `web_sessions` (
	`hash` text PRIMARY KEY NOT NULL,
	`expires_at` integer NOT NULL
);
