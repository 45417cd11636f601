CREATE TABLE `handed_over` (
	`trigger_id` text NOT NULL,
	`id` text NOT NULL,
	`secret` text NOT NULL,
	`at` integer NOT NULL,
	`last_at` integer NOT NULL,
	`times` integer NOT NULL,
	`ip` text,
	`user_agent` text,
	PRIMARY KEY(`trigger_id`, `id`)
);
--> statement-breakpoint
CREATE TABLE `revoked_accesses` (
	`access` text PRIMARY KEY NOT NULL,
	`until` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `tickets` ADD `access_until` integer;--> statement-breakpoint
ALTER TABLE `tickets` ADD `authority` text;--> statement-breakpoint
INSERT INTO `handed_over` (`trigger_id`, `id`, `secret`, `at`, `last_at`, `times`)
	SELECT `trigger_id`, lower(hex(randomblob(8))), `secret`, unixepoch() * 1000, unixepoch() * 1000, 1 FROM `endpoints` WHERE `is_unseen`;
--> statement-breakpoint
DELETE FROM `endpoints` WHERE `is_unseen`;
