import journal from './meta/_journal.json';
import m0000 from './0000_initial.sql';
import m0001 from './0001_transcript.sql';
import m0002 from './0002_fire.sql';
import m0003 from './0003_triggers.sql';
import m0004 from './0004_access.sql';
import m0005 from './0005_pushes.sql';
import m0006 from './0006_newcomers.sql';
import m0007 from './0007_calls.sql';
import m0008 from './0008_open_calls.sql';
import m0009 from './0009_told_pushes.sql';
import m0010 from './0010_owed_by_time.sql';
import m0011 from './0011_revision_actors.sql';
import m0012 from './0012_attempt_boots.sql';
import m0013 from './0013_asked_hosts.sql';
import m0014 from './0014_attempt_environments.sql';
import m0015 from './0015_conversations.sql';
import m0016 from './0016_token_may_read.sql';
import m0017 from './0017_notes.sql';
import m0018 from './0018_run_contexts.sql';
import m0019 from './0019_health.sql';
import m0020 from './0020_messages.sql';
import m0021 from './0021_dead_letters.sql';
import m0022 from './0022_session_diffs.sql';
import m0023 from './0023_artifacts.sql';
import m0024 from './0024_previous_flatman.sql';
import m0025 from './0025_session_titles.sql';
import m0026 from './0026_spending.sql';
import m0027 from './0027_notifications.sql';
import m0028 from './0028_tickets_of_sign_ins.sql';
import m0029 from './0029_pull_requests.sql';
import m0030 from './0030_slack_updates.sql';
import m0031 from './0031_answers_told.sql';
import m0032 from './0032_session_keys.sql';
import m0033 from './0033_shared_budgets.sql';
import m0034 from './0034_github_deeds.sql';
import m0035 from './0035_watches.sql';
import m0036 from './0036_gated_wakes.sql';
import m0037 from './0037_gated_came_at.sql';
import m0038 from './0038_retention.sql';
import m0039 from './0039_fewer_indexes.sql';

  export default {
    journal,
    migrations: {
      m0000,
m0001,
m0002,
m0003,
m0004,
m0005,
m0006,
m0007,
m0008,
m0009,
m0010,
m0011,
m0012,
m0013,
m0014,
m0015,
m0016,
m0017,
m0018,
m0019,
m0020,
m0021,
m0022,
m0023,
m0024,
m0025,
m0026,
m0027,
m0028,
m0029,
m0030,
m0031,
m0032,
m0033,
m0034,
m0035,
m0036,
m0037,
m0038,
m0039
    }
  }
  