CREATE TABLE `connector_revocations` (
	`id` text PRIMARY KEY NOT NULL,
	`connector_id` text NOT NULL,
	`sealed` text NOT NULL,
	`client_secret` text,
	`attempts` integer NOT NULL,
	`due_at` integer NOT NULL
);
