CREATE TABLE `transcript` (
	`session_id` text NOT NULL,
	`last_seq` integer NOT NULL,
	`first_seq` integer NOT NULL,
	`end_bytes` integer NOT NULL,
	`run_id` text NOT NULL,
	`attempt` integer NOT NULL,
	`frame` integer NOT NULL,
	`tool_calls` integer NOT NULL,
	`body` text NOT NULL,
	PRIMARY KEY(`session_id`, `last_seq`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `transcript`
SELECT `events`.`session_id`, `seq`, `seq`, `end_bytes`, `runs`.`id`, json_extract(`doc`, '$.attempt'), `last_frame`,
	json_extract(`doc`, '$.evidence.tool_calls'), `body`
FROM `events` JOIN `runs` ON `runs`.`id` = json_extract(`body`, '$.run_id');
--> statement-breakpoint
DROP TABLE `events`;--> statement-breakpoint
ALTER TABLE `runs` DROP COLUMN `last_frame`;--> statement-breakpoint
ALTER TABLE `sessions` DROP COLUMN `last_seq`;--> statement-breakpoint
ALTER TABLE `sessions` DROP COLUMN `total_bytes`;