ALTER TABLE `routines` ADD `owner_key` text GENERATED ALWAYS AS (substr(id, 14, 12)) VIRTUAL;--> statement-breakpoint
CREATE INDEX `routines_by_owner` ON `routines` (`owner_key`);