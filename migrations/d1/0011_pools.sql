CREATE TABLE `pools` (
	`number` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`token_hash` text,
	`token_at` integer NOT NULL,
	`token_by` text NOT NULL,
	`previous_hash` text,
	`previous_until` integer,
	`tell_at` integer,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `pools_name_unique` ON `pools` (`name`);--> statement-breakpoint
CREATE INDEX `pools_to_tell` ON `pools` (`tell_at`) WHERE tell_at IS NOT NULL;--> statement-breakpoint
ALTER TABLE `routines` ADD `pool` text DEFAULT 'default' NOT NULL;--> statement-breakpoint
CREATE INDEX `routines_by_pool` ON `routines` (`pool`,`id`) WHERE pool <> 'default';