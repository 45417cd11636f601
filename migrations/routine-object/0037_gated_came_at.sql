ALTER TABLE `gated_wakes` ADD `came_at` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `gated_wakes` SET `came_at` = `ask_at`;
