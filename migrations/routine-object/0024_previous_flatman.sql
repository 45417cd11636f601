CREATE TABLE `questions` (
	`run_id` text NOT NULL,
	`id` text NOT NULL,
	`question` text NOT NULL,
	`asked_at` integer NOT NULL,
	`until` integer NOT NULL,
	`answer` text,
	`taken_at` integer,
	PRIMARY KEY(`run_id`, `id`)
) WITHOUT ROWID;
