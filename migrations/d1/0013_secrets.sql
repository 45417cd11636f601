CREATE TABLE `secret_uses` (
	`number` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`at` integer NOT NULL,
	`routine_id` text NOT NULL,
	`run_id` text NOT NULL,
	`attempt` integer NOT NULL,
	`environment_id` text NOT NULL,
	`variables` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `secret_uses_once` ON `secret_uses` (`name`,`run_id`,`attempt`);--> statement-breakpoint
CREATE INDEX `secret_uses_by_name` ON `secret_uses` (`name`,`number`);--> statement-breakpoint
CREATE INDEX `secret_uses_by_age` ON `secret_uses` (`at`);--> statement-breakpoint
CREATE TABLE `secrets` (
	`number` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`sealed` text,
	`source` text,
	`scope` text NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`updated_at` integer NOT NULL,
	`updated_by` text NOT NULL,
	`last_used_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `secrets_name_unique` ON `secrets` (`name`);