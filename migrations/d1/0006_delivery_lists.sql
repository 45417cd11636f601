CREATE INDEX `deliveries_by_source` ON `deliveries` (`source`,`id`);--> statement-breakpoint
CREATE INDEX `deliveries_by_status` ON `deliveries` (`status`,`id`);--> statement-breakpoint
CREATE INDEX `deliveries_by_source_and_status` ON `deliveries` (`source`,`status`,`id`);