CREATE TABLE `github_installations` (
	`id` integer PRIMARY KEY NOT NULL,
	`account` text NOT NULL,
	`is_suspended` integer NOT NULL,
	`is_deleted` integer NOT NULL,
	`events` text,
	`told_at` integer,
	`noted_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `github_seen` (
	`id` integer PRIMARY KEY NOT NULL,
	`hook_at` integer,
	`gone_at` integer,
	`left_at` integer
);
--> statement-breakpoint
CREATE TABLE `repository_names` (
	`full_name` text PRIMARY KEY NOT NULL,
	`repository_id` integer NOT NULL,
	`successor` text,
	`seen_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `repository_names_by_id` ON `repository_names` (`repository_id`);--> statement-breakpoint
CREATE INDEX `repository_names_by_successor` ON `repository_names` (`successor`);--> statement-breakpoint
CREATE INDEX `deliveries_of_changes` ON `deliveries` (`provider_id`) WHERE event IN ('installation', 'installation_repositories', 'installation_target', 'organization', 'repository', 'meta');--> statement-breakpoint
INSERT INTO `repository_names` (`full_name`, `repository_id`, `seen_at`)
SELECT `full_name`, `id`, 0 FROM `github_repositories` WHERE true ON CONFLICT (`full_name`) DO NOTHING;
