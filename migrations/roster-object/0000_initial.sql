CREATE TABLE `facts` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `routines` (
	`id` text PRIMARY KEY NOT NULL,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE INDEX `routines_alive` ON `routines` (`id`) WHERE deleted_at IS NULL;