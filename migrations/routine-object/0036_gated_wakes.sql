CREATE TABLE `gated_keys` (
	`key` text PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `gated_keys_by_wake` ON `gated_keys` (`seq`);--> statement-breakpoint
CREATE TABLE `gated_wakes` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`wake` text NOT NULL,
	`coalesce` text,
	`tries` integer DEFAULT 0 NOT NULL,
	`fault` text,
	`ask_at` integer NOT NULL
);
