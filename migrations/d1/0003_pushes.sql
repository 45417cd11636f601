CREATE TABLE `begun_pushes` (
	`id` text PRIMARY KEY NOT NULL,
	`run_id` text NOT NULL,
	`generation` integer NOT NULL,
	`number` integer NOT NULL,
	`url` text NOT NULL,
	`branches` text NOT NULL,
	`tries` integer DEFAULT 0 NOT NULL,
	`ask_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `begun_pushes_due` ON `begun_pushes` (`ask_at`);