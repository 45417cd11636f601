CREATE TABLE `notes` (
	`name` text NOT NULL,
	`revision` integer NOT NULL,
	`text` text NOT NULL,
	`author` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`name`, `revision`)
);
