CREATE TABLE `budgets` (
	`key` text PRIMARY KEY NOT NULL,
	`scope` text NOT NULL,
	`monthly_usd` real NOT NULL,
	`updated_at` integer NOT NULL,
	`updated_by` text NOT NULL,
	`spent_month` text,
	`spent_usd` real DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE `given_back` (
	`id` text PRIMARY KEY NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `reservations` (
	`id` text PRIMARY KEY NOT NULL,
	`routine_id` text NOT NULL,
	`month` text NOT NULL,
	`usd` real NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `routines` (
	`id` text PRIMARY KEY NOT NULL,
	`tags` text NOT NULL,
	`revision` integer NOT NULL,
	`told` integer NOT NULL,
	`due_at` integer,
	`tries` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE INDEX `routines_due` ON `routines` (`due_at`);--> statement-breakpoint
CREATE TABLE `totals` (
	`month` text NOT NULL,
	`routine_id` text NOT NULL,
	`usd` real NOT NULL,
	PRIMARY KEY(`month`, `routine_id`)
);
--> statement-breakpoint
CREATE TABLE `versions` (
	`id` integer PRIMARY KEY NOT NULL,
	`version` integer NOT NULL
);
