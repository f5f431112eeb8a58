-- A database as the second layout kept it, with a row of each kind.
PRAGMA application_id = 1349220212;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES ('v1'), ('v2');

CREATE TABLE schedule (
  generation INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  cron TEXT, every TEXT, at INTEGER, duration TEXT,
  tickLimit INTEGER, timezone TEXT, startDate INTEGER, endDate INTEGER, jitter TEXT,
  messageID BLOB, traceparent BLOB, tracestate BLOB,
  counter INTEGER NOT NULL,
  slot INTEGER, due INTEGER, missed INTEGER, since INTEGER,
  endedAt INTEGER, endReason BLOB, owesStopped INTEGER,
  payload BLOB, misfirePolicy TEXT, catchupWindow TEXT, ifExists TEXT,
  CHECK ((cron IS NULL) + (every IS NULL) + (at IS NULL) + (duration IS NULL) = 3),
  CHECK ((due IS NULL) + (endedAt IS NULL) = 1)
) STRICT;
CREATE INDEX scheduleByDue ON schedule (due) WHERE due IS NOT NULL;
CREATE INDEX scheduleFollowingZone ON schedule (due) WHERE since IS NOT NULL;
CREATE INDEX scheduleOwingStopped ON schedule (owesStopped) WHERE owesStopped = 1;
CREATE INDEX scheduleByEnd ON schedule (owesStopped, endReason IS NULL, endedAt) WHERE owesStopped = 0;

INSERT INTO schedule VALUES
  (2, CAST('cron' AS BLOB), '30 * * * *', NULL, NULL, NULL, 10, 'Europe/Rome', 1795000000000, 1796000000000, '5m',
   x'00ff', CAST('00-trace-parent-01' AS BLOB), CAST('a=b' AS BLOB), 3, 1795000200000, 1795000200250, 7, 1795000100000,
   NULL, NULL, NULL, CAST('{"any": 1.0}' AS BLOB), 'fireAll', 'PT1H', 'keep'),
  (3, CAST('every' AS BLOB), NULL, '1h 30m', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, 0, -1, -1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, CAST('owing' AS BLOB), '* * * * *', NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, 1795000000000, CAST('Count Limit Reached' AS BLOB), 1,
   CAST('null' AS BLOB), NULL, NULL, NULL),
  (5, CAST('fired' AS BLOB), NULL, NULL, NULL, 'PT5M', NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, 1795000000001, NULL, 0, NULL, NULL, NULL, NULL),
  (6, x'65cc81', NULL, NULL, 1795000000000, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, 1795000000002, x'', 0, NULL, NULL, NULL, NULL);

CREATE TABLE answeredCommand (
  sequence INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  answeredAt INTEGER NOT NULL,
  started INTEGER, stopped INTEGER, effect INTEGER, rejectedField BLOB, rejectedReason BLOB
) STRICT;
INSERT INTO answeredCommand VALUES
  (1, x'00000000000000010000000000000002', 1795000000000, 2, NULL, 1, NULL, NULL),
  (2, x'ffffffffffffffff0000000000000000', 1795000000001, NULL, 6, NULL, NULL, NULL),
  (3, x'0102030405060708090a0b0c0d0e0f10', 1795000000002, NULL, NULL, NULL,
   CAST('id' AS BLOB), CAST('no such schedule' AS BLOB));

CREATE TABLE recollection (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  lastGeneration INTEGER NOT NULL,
  inDoubtThrough INTEGER NOT NULL,
  secretFirst INTEGER NOT NULL,
  secretSecond INTEGER NOT NULL,
  openings INTEGER NOT NULL
) STRICT;
INSERT INTO recollection VALUES (1, 9, 1795000030000, 1, -1, 4);
