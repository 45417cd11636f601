CREATE TABLE `forgotten_routines` (
	`id` text PRIMARY KEY NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `forgotten_routines_by_age` ON `forgotten_routines` (`at`);