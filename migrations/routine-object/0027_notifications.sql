CREATE TABLE `notifications` (
	`id` text PRIMARY KEY NOT NULL,
	`fact` text NOT NULL,
	`destination` text NOT NULL,
	`doc` text NOT NULL,
	`body` text NOT NULL,
	`due_at` integer,
	`version` integer NOT NULL,
	`indexed_version` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `notifications_by_fact` ON `notifications` (`fact`,`destination`);--> statement-breakpoint
CREATE INDEX `notifications_due` ON `notifications` (`due_at`);