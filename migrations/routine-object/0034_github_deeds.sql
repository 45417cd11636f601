CREATE TABLE `github_deeds` (
	`id` text PRIMARY KEY NOT NULL,
	`session_id` text NOT NULL,
	`run_id` text NOT NULL,
	`kind` text NOT NULL,
	`begun_at` integer NOT NULL,
	`held_until` integer NOT NULL,
	`done` text
) WITHOUT ROWID;
