CREATE TABLE `due_routines` (
	`routine_id` text PRIMARY KEY NOT NULL,
	`due_at` integer NOT NULL,
	`version` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `due_routines_by_time` ON `due_routines` (`due_at`,`routine_id`);--> statement-breakpoint
CREATE TABLE `subscriptions` (
	`routine_id` text NOT NULL,
	`trigger_id` text NOT NULL,
	`key` text NOT NULL,
	PRIMARY KEY(`routine_id`, `trigger_id`, `key`)
);
--> statement-breakpoint
CREATE INDEX `subscriptions_by_key` ON `subscriptions` (`key`);--> statement-breakpoint
CREATE TABLE `deliveries` (
	`id` text PRIMARY KEY NOT NULL,
	`source` text NOT NULL,
	`trigger_id` text,
	`status` text NOT NULL,
	`tries` integer DEFAULT 0 NOT NULL,
	`next_at` integer NOT NULL,
	`provider_id` text,
	`event` text,
	`action` text,
	`summary` text,
	`note` text,
	`headers` text NOT NULL,
	`body` text,
	`size_bytes` integer NOT NULL,
	`outcomes` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `deliveries_stored` ON `deliveries` (`next_at`,`id`) WHERE status = 'stored';--> statement-breakpoint
CREATE TABLE `github_repositories` (
	`id` integer PRIMARY KEY NOT NULL,
	`full_name` text NOT NULL,
	`is_private` integer NOT NULL,
	`installation_id` integer NOT NULL,
	`account` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `github_repositories_by_name` ON `github_repositories` (`full_name`);--> statement-breakpoint
CREATE INDEX `github_repositories_by_installation` ON `github_repositories` (`installation_id`);--> statement-breakpoint
CREATE TABLE `push_marks` (
	`mark` text NOT NULL,
	`run_id` text NOT NULL,
	`routine_id` text NOT NULL,
	`depth` integer NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`mark`, `run_id`)
);
--> statement-breakpoint
CREATE INDEX `push_marks_by_age` ON `push_marks` (`at`);--> statement-breakpoint
CREATE TABLE `verification_failures` (
	`day` text NOT NULL,
	`source` text NOT NULL,
	`trigger_id` text NOT NULL,
	`failure` text NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`day`, `source`, `trigger_id`, `failure`)
);
