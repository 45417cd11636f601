CREATE TABLE `open_model_calls` (
	`run_id` text NOT NULL,
	`call` integer NOT NULL,
	`tokens` text NOT NULL,
	PRIMARY KEY(`run_id`, `call`)
) WITHOUT ROWID;
