DROP INDEX `leases_by_status`;--> statement-breakpoint
ALTER TABLE `leases` ADD `needs` text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE INDEX `leases_by_status` ON `leases` (`status`,`needs`,`asked_at`);