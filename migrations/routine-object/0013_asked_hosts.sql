CREATE TABLE `asked_hosts` (
	`run_id` text PRIMARY KEY NOT NULL,
	`hosts` text NOT NULL
);
