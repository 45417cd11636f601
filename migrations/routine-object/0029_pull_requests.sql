CREATE TABLE `pull_requests` (
	`session_id` text NOT NULL,
	`place` text NOT NULL,
	`branch` text NOT NULL,
	`run_id` text NOT NULL,
	`by` text NOT NULL,
	`asked_at` integer NOT NULL,
	`opened` text,
	PRIMARY KEY(`session_id`, `place`, `branch`)
);
