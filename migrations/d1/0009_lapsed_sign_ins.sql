CREATE INDEX `web_sessions_by_id` ON `web_sessions` (`id`);--> statement-breakpoint
CREATE INDEX `web_sessions_by_end` ON `web_sessions` (`authority`,`expires_at`);