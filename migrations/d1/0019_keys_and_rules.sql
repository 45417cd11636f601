CREATE TABLE `made_by_key` (
	`hash` text PRIMARY KEY NOT NULL,
	`fingerprint` text NOT NULL,
	`made_id` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `made_by_key_by_age` ON `made_by_key` (`at`);--> statement-breakpoint
ALTER TABLE `notification_rules` ADD `revision` integer DEFAULT 1 NOT NULL;