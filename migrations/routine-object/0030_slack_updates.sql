CREATE TABLE `slack_updates` (
	`id` text PRIMARY KEY NOT NULL,
	`url` text NOT NULL,
	`body` text NOT NULL,
	`at` integer NOT NULL
);
