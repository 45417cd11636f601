DROP INDEX `dead_letters_open`;--> statement-breakpoint
DROP INDEX `dead_letters_by_routine`;--> statement-breakpoint
CREATE INDEX `dead_letters_by_state` ON `dead_letters` (`is_fired`,`id`);--> statement-breakpoint
CREATE INDEX `dead_letters_by_routine` ON `dead_letters` (`routine_id`,`is_fired`,`id`);