CREATE TABLE `environments` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`status` text NOT NULL,
	`revision` integer NOT NULL,
	`doc` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `environments_by_name` ON `environments` (`name`) WHERE status = 'active';--> statement-breakpoint
CREATE INDEX `environments_of_name` ON `environments` (`name`,`id`);--> statement-breakpoint
ALTER TABLE `routines` ADD `environment` text DEFAULT 'default' NOT NULL;--> statement-breakpoint
CREATE INDEX `routines_by_environment` ON `routines` (`environment`,`id`) WHERE environment <> 'default';