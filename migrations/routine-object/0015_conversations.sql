CREATE TABLE `conversation_parts` (
	`session_id` text NOT NULL,
	`n` integer NOT NULL,
	`file` text NOT NULL,
	`bytes` integer NOT NULL,
	`body` text,
	`key` text,
	PRIMARY KEY(`session_id`, `n`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `conversations` (
	`session_id` text PRIMARY KEY NOT NULL,
	`sdk_version` text NOT NULL,
	`run_id` text NOT NULL,
	`attempt` integer NOT NULL,
	`last_n` integer NOT NULL,
	`kept_n` integer NOT NULL,
	`loose_bytes` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`workspace` text
);
--> statement-breakpoint
CREATE INDEX `conversations_by_age` ON `conversations` (`expires_at`);