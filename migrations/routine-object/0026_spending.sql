CREATE TABLE `spending` (
	`month` text PRIMARY KEY NOT NULL,
	`usd` real NOT NULL
);
--> statement-breakpoint
ALTER TABLE `open_model_calls` ADD `model` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `open_model_calls` ADD `factor` real DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `open_model_calls` ADD `reserved` real DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `open_model_calls` ADD `at` integer DEFAULT 0 NOT NULL;