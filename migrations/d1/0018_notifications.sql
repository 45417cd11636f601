CREATE TABLE `failing_destinations` (
	`by` text NOT NULL,
	`address` text NOT NULL,
	`failing_since` integer NOT NULL,
	`off_at` integer,
	`error` text NOT NULL,
	PRIMARY KEY(`by`, `address`)
);
--> statement-breakpoint
CREATE INDEX `failing_destinations_by_age` ON `failing_destinations` (`failing_since`);--> statement-breakpoint
CREATE INDEX `failing_destinations_off` ON `failing_destinations` (`off_at`) WHERE off_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `notification_rules` (
	`id` integer PRIMARY KEY NOT NULL,
	`doc` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `notifications` (
	`id` text PRIMARY KEY NOT NULL,
	`routine_id` text NOT NULL,
	`status` text NOT NULL,
	`doc` text NOT NULL,
	`version` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `notifications_by_routine` ON `notifications` (`routine_id`,`id`);--> statement-breakpoint
CREATE INDEX `notifications_by_status` ON `notifications` (`status`,`id`);--> statement-breakpoint
CREATE INDEX `notifications_by_routine_and_status` ON `notifications` (`routine_id`,`status`,`id`);