CREATE TABLE `leases` (
	`run_id` text NOT NULL,
	`generation` integer NOT NULL,
	`routine_id` text NOT NULL,
	`status` text NOT NULL,
	`runner_id` text,
	`end` text,
	`asked_at` integer NOT NULL,
	`due_at` integer,
	`tries` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`run_id`, `generation`)
);
--> statement-breakpoint
CREATE INDEX `leases_by_status` ON `leases` (`status`,`asked_at`);--> statement-breakpoint
CREATE INDEX `leases_by_runner` ON `leases` (`runner_id`);--> statement-breakpoint
CREATE TABLE `runners` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`boot` text NOT NULL,
	`capacity` integer NOT NULL,
	`lost_at` integer
);
