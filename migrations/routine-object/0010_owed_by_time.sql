CREATE TABLE `deadlines_kept` (
	`ref` text NOT NULL,
	`kind` text NOT NULL,
	`due_at` integer NOT NULL,
	PRIMARY KEY(`ref`, `kind`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `deadlines_kept` SELECT `ref`, `kind`, `due_at` FROM `deadlines`;--> statement-breakpoint
DROP TABLE `deadlines`;--> statement-breakpoint
ALTER TABLE `deadlines_kept` RENAME TO `deadlines`;--> statement-breakpoint
CREATE INDEX `deadlines_by_time` ON `deadlines` (`due_at`);--> statement-breakpoint
CREATE TABLE `outbox_kept` (
	`kind` text NOT NULL,
	`ref` text NOT NULL,
	`tries` integer DEFAULT 0 NOT NULL,
	`due_at` integer NOT NULL,
	`stamp` integer NOT NULL,
	PRIMARY KEY(`kind`, `ref`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `outbox_kept`
SELECT CASE `kind` WHEN 'announce_run' THEN 'tell_run_ended' ELSE `kind` END, `ref`, `tries`, `due_at`, `stamp` FROM `outbox`;
--> statement-breakpoint
DROP TABLE `outbox`;--> statement-breakpoint
ALTER TABLE `outbox_kept` RENAME TO `outbox`;--> statement-breakpoint
CREATE INDEX `outbox_by_time` ON `outbox` (`kind`,`due_at`);--> statement-breakpoint
UPDATE `routine`
SET `definition` = json_set(`definition`, '$.name', '', '$.prompt', '', '$.triggers', json('[]'), '$.repositories', json('[]')),
	`paused_reason` = NULL
WHERE `status` = 'deleted' AND NOT EXISTS (SELECT 1 FROM `runs`);
