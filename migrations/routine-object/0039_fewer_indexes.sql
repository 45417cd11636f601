DROP INDEX `outbox_by_time`;--> statement-breakpoint
ALTER TABLE `outbox` ADD `is_claimed` integer DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX `outbox_waiting` ON `outbox` (`kind`,`due_at`) WHERE is_claimed = 0;--> statement-breakpoint
DROP INDEX `runs_unsettled_by_session`;--> statement-breakpoint
DROP INDEX `runs_by_session`;--> statement-breakpoint
CREATE INDEX `runs_by_session` ON `runs` (`session_id`,(status IN ('queued', 'starting', 'running', 'waiting')),`id`);