CREATE TABLE `shared_budgets` (
	`id` integer PRIMARY KEY NOT NULL,
	`version` integer NOT NULL,
	`budgets` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `shared_reservations` (
	`id` text PRIMARY KEY NOT NULL,
	`run_id` text NOT NULL,
	`call` integer,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `spending_days` (
	`day` text PRIMARY KEY NOT NULL,
	`usd` real NOT NULL,
	`is_told` integer DEFAULT false NOT NULL
);
