ALTER TABLE `sessions` ADD `title_from` text DEFAULT 'routine' NOT NULL;--> statement-breakpoint
ALTER TABLE `sessions` ADD `archived_at` integer;--> statement-breakpoint
CREATE INDEX `sessions_archived` ON `sessions` (`id`) WHERE archived_at IS NOT NULL;