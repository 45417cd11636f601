CREATE TABLE `session_branches` (
	`session_id` text NOT NULL,
	`place` text NOT NULL,
	`branch` text NOT NULL,
	`base` text,
	`tip` text NOT NULL,
	`own` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`session_id`, `place`, `branch`)
);
