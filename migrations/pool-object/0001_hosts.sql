DROP INDEX `leases_by_runner`;--> statement-breakpoint
ALTER TABLE `leases` ADD `host` text DEFAULT 'local' NOT NULL;