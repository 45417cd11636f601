ALTER TABLE `sign_in_codes` ADD `authority` text;--> statement-breakpoint
ALTER TABLE `web_session_objects` ADD `due_at` integer;--> statement-breakpoint
ALTER TABLE `web_session_objects` ADD `tries` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `web_session_objects_owed` ON `web_session_objects` (`due_at`) WHERE due_at IS NOT NULL;--> statement-breakpoint
ALTER TABLE `web_sessions` ADD `id` text;--> statement-breakpoint
ALTER TABLE `web_sessions` ADD `authority` text;--> statement-breakpoint
ALTER TABLE `web_sessions` ADD `created_at` integer;--> statement-breakpoint
ALTER TABLE `web_sessions` ADD `last_used_at` integer;--> statement-breakpoint
ALTER TABLE `web_sessions` ADD `user_agent` text;--> statement-breakpoint
ALTER TABLE `web_sessions` ADD `ip` text;