CREATE TABLE `sealed_documents` (
	`name` text PRIMARY KEY NOT NULL,
	`sealed` text NOT NULL,
	`changed_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `setup_states` (
	`hash` text PRIMARY KEY NOT NULL,
	`expires_at` integer NOT NULL
);
