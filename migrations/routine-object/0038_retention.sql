CREATE TABLE `retention` (
	`id` integer PRIMARY KEY NOT NULL,
	`stage` text NOT NULL,
	`cursor` text NOT NULL,
	`due_at` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `transcript` ADD `key` text;