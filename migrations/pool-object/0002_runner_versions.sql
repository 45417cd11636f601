CREATE TABLE `gone_runners` (
	`id` text PRIMARY KEY NOT NULL,
	`version` text,
	`capacity` integer NOT NULL,
	`state` text NOT NULL,
	`reason` text,
	`at` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `runners` ADD `version` text;