CREATE TABLE `connector_login_states` (
	`hash` text PRIMARY KEY NOT NULL,
	`connector_id` text NOT NULL,
	`made_by` text,
	`sealed` text NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `connector_logins` (
	`connector_id` text PRIMARY KEY NOT NULL,
	`bound_to` text NOT NULL,
	`sealed` text NOT NULL,
	`version` integer NOT NULL,
	`shown` text NOT NULL,
	`ended` text,
	`wanted_scope` text,
	`renewing_until` integer
);
