CREATE TABLE `dead_letters` (
	`id` text PRIMARY KEY NOT NULL,
	`routine_id` text NOT NULL,
	`is_fired` integer NOT NULL,
	`doc` text NOT NULL,
	`version` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `dead_letters_by_routine` ON `dead_letters` (`routine_id`,`id`);--> statement-breakpoint
CREATE INDEX `dead_letters_open` ON `dead_letters` (`id`) WHERE is_fired = 0;