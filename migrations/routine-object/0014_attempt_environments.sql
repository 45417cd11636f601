CREATE TABLE `attempt_environments` (
	`run_id` text PRIMARY KEY NOT NULL,
	`attempt` integer NOT NULL,
	`doc` text NOT NULL
);
