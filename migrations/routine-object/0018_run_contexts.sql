CREATE TABLE `run_contexts` (
	`run_id` text PRIMARY KEY NOT NULL,
	`text` text
);
