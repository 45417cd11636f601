ALTER TABLE `begun_pushes` ADD `taken` text;--> statement-breakpoint
ALTER TABLE `begun_pushes` ADD `begun_at` integer DEFAULT 0 NOT NULL;