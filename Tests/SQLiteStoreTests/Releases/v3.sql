-- A database as the third layout kept it, with a row of each kind.
PRAGMA application_id = 1349220212;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES ('v1'), ('v2'), ('v3');

CREATE TABLE schedule (
  generation INTEGER PRIMARY KEY,
  place INTEGER NOT NULL,
  id BLOB NOT NULL UNIQUE,
  -- the definition: exactly one of these four, then what else the client sent
  cron TEXT, every TEXT, at INTEGER, duration TEXT,
  tickLimit INTEGER, timezone TEXT, startDate INTEGER, endDate INTEGER, jitter TEXT,
  misfirePolicy TEXT, catchupWindow TEXT, ifExists TEXT,
  -- of the message that started it, and when that was
  messageID BLOB, traceparent BLOB, tracestate BLOB, userID BLOB, startedAt INTEGER,
  -- last, because it may be long: what stands before it is read without it
  payload BLOB,
  CHECK ((cron IS NULL) + (every IS NULL) + (at IS NULL) + (duration IS NULL) = 3)
) STRICT;
CREATE TABLE progress (
  -- cohort << 42 | generation
  place INTEGER PRIMARY KEY,
  generation INTEGER NOT NULL,
  counter INTEGER NOT NULL,
  -- a live schedule's next tick; since: only of those that follow a time zone
  slot INTEGER, due INTEGER, missed INTEGER, since INTEGER,
  -- an ended schedule's end; a one-shot that fired has no reason
  endedAt INTEGER, endReason BLOB, owesStopped INTEGER,
  -- what became of its ticks, and when the last one left and was confirmed, each in milliseconds after the one before
  missedSlots INTEGER NOT NULL DEFAULT 0, repeats INTEGER NOT NULL DEFAULT 0,
  refusals INTEGER NOT NULL DEFAULT 0, returns INTEGER NOT NULL DEFAULT 0,
  lastSlot INTEGER, lastLateness INTEGER, lastConfirmation INTEGER,
  CHECK ((due IS NULL) + (endedAt IS NULL) = 1)
) STRICT;
CREATE INDEX progressByDue ON progress (due, generation) WHERE due IS NOT NULL;
CREATE INDEX progressFollowingZone ON progress (due, generation) WHERE since IS NOT NULL;
CREATE INDEX progressOwingStopped ON progress (generation) WHERE owesStopped = 1;
CREATE INDEX progressByEnd ON progress (owesStopped, endReason IS NULL, endedAt, generation) WHERE owesStopped = 0;

INSERT INTO schedule VALUES
  (2, 2192914368948076546, CAST('cron' AS BLOB), '30 * * * *', NULL, NULL, NULL, 10, 'Europe/Rome', 1795000000000, 1796000000000, '5m',
   'fireAll', 'PT1H', 'keep', x'00ff', CAST('00-trace-parent-01' AS BLOB), CAST('a=b' AS BLOB), CAST('billing' AS BLOB),
   1795000000500, CAST('{"any": 1.0}' AS BLOB)),
  (3, 3, CAST('every' AS BLOB), NULL, '1h 30m', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, 2192914368948076548, CAST('owing' AS BLOB), '* * * * *', NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, CAST('null' AS BLOB)),
  (5, 2192914368948076549, CAST('fired' AS BLOB), NULL, NULL, NULL, 'PT5M', NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (6, 2192914368948076550, x'65cc81', NULL, NULL, 1795000000000, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (7, 2192914368948076551, CAST('lasting' AS BLOB), NULL, '1h', NULL, NULL, 1, NULL, NULL, NULL, NULL,
   NULL, NULL, 'replaceIfChanged', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO progress VALUES
  (2192914368948076546, 2, 3, 1795000200000, 1795000200250, 7, 1795000100000, NULL, NULL, NULL, 1, 2, 3, 4, 1795000100000, 250, 7),
  (3, 3, 0, -1, -1, 0, NULL, NULL, NULL, NULL, 0, 0, 0, 0, NULL, NULL, NULL),
  (2192914368948076548, 4, 1, NULL, NULL, NULL, NULL, 1795000000000, CAST('Count Limit Reached' AS BLOB), 1, 0, 0, 0, 0, NULL, NULL, NULL),
  (2192914368948076549, 5, 1, NULL, NULL, NULL, NULL, 1795000000001, NULL, 0, 0, 0, 0, 0, NULL, NULL, NULL),
  (2192914368948076550, 6, 0, NULL, NULL, NULL, NULL, 1795000000002, x'', 0, 0, 0, 0, 0, NULL, NULL, NULL),
  (2192914368948076551, 7, 1, NULL, NULL, NULL, NULL, 1795000000003, CAST('Count Limit Reached' AS BLOB), 0, 0, 0, 0, 0, NULL, NULL, NULL);

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
, live INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO recollection VALUES (1, 9, 1795000030000, 1, -1, 4, 2, 4);

CREATE TRIGGER scheduleRemoved AFTER DELETE ON schedule BEGIN
  DELETE FROM progress WHERE place = old.place;
END;
CREATE TRIGGER progressRemoved AFTER DELETE ON progress BEGIN
  UPDATE recollection SET live = live - (old.due IS NOT NULL), ended = ended - (old.due IS NULL);
END;
