ALTER TABLE `revisions` ADD `by_kind` text DEFAULT 'owner' NOT NULL;--> statement-breakpoint
ALTER TABLE `revisions` ADD `by_id` text;