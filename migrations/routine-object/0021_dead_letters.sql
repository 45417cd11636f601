CREATE TABLE `dead_letters` (
	`id` text PRIMARY KEY NOT NULL,
	`doc` text NOT NULL,
	`text` text,
	`checkout` text,
	`version` integer NOT NULL,
	`indexed_version` integer NOT NULL
);
