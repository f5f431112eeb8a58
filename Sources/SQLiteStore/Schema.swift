import GRDB
import Scheduling

/// The schema of the database, its migrations and its application id.
enum Schema {
  /// "Pkwt", in the header of each of our databases (`PRAGMA application_id`).
  static let applicationID: Int64 = 0x506b_7774

  /// All schema versions, in order. A released migration is never edited, including its comments, which SQLite stores; a change
  /// is a new migration.
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("v1", foreignKeyChecks: .immediate) { database in
      try database.execute(sql: version1)
      var random = SystemRandomNumberGenerator()
      let secret = [UInt64.random(in: .min ... .max, using: &random), .random(in: .min ... .max, using: &random)]
      try database.execute(
        sql: "INSERT INTO recollection VALUES (1, 0, ?, ?, ?, 0)",
        arguments: [Int64.min, Int64(bitPattern: secret[0]), Int64(bitPattern: secret[1])])
    }
    migrator.registerMigration("v2", foreignKeyChecks: .immediate) { try $0.execute(sql: version2) }
    migrator.registerMigration("v3", foreignKeyChecks: .immediate) { try $0.execute(sql: version3) }
    migrator.registerMigration("v4", foreignKeyChecks: .immediate) { try $0.execute(sql: version4) }
    migrator.registerMigration("v5", foreignKeyChecks: .immediate) {
      try $0.execute(sql: version5)
      try $0.execute(sql: delayedMessages)
    }
    return migrator
  }

  /// The newest schema version, as in `v4`.
  static var version: Int { migrator.migrations.count }

  /// Instants are milliseconds since 1970 UTC. Free text is stored as blobs of UTF-8, because many SQLite functions end text at a
  /// NUL, which JSON may contain.
  private static let version1 = """
    CREATE TABLE schedule (
      generation INTEGER PRIMARY KEY,
      id BLOB NOT NULL UNIQUE,
      -- the definition: exactly one of these four, then what else the client sent
      cron TEXT, every TEXT, at INTEGER, duration TEXT,
      tickLimit INTEGER, timezone TEXT, startDate INTEGER, endDate INTEGER, jitter TEXT,
      -- of the message that started it
      messageID BLOB, traceparent BLOB, tracestate BLOB,
      counter INTEGER NOT NULL,
      -- a live schedule's next tick; since: only of those that follow a time zone
      slot INTEGER, due INTEGER, missed INTEGER, since INTEGER,
      -- an ended schedule's end; a one-shot that fired has no reason
      endedAt INTEGER, endReason BLOB, owesStopped INTEGER,
      -- last, because it may be long: what stands before it is read without it
      payload BLOB,
      CHECK ((cron IS NULL) + (every IS NULL) + (at IS NULL) + (duration IS NULL) = 3),
      CHECK ((due IS NULL) + (endedAt IS NULL) = 1)
    ) STRICT;

    CREATE INDEX scheduleByDue ON schedule (due) WHERE due IS NOT NULL;
    CREATE INDEX scheduleFollowingZone ON schedule (due) WHERE since IS NOT NULL;
    CREATE INDEX scheduleOwingStopped ON schedule (owesStopped) WHERE owesStopped = 1;
    CREATE INDEX scheduleByEnd ON schedule (owesStopped, endReason IS NULL, endedAt) WHERE owesStopped = 0;

    CREATE TABLE answeredCommand (
      sequence INTEGER PRIMARY KEY,
      key BLOB NOT NULL UNIQUE,
      answeredAt INTEGER NOT NULL,
      -- the generation it started or stopped; a start that replaced a live schedule; why it was rejected
      started INTEGER, stopped INTEGER, replaced INTEGER, rejectedField BLOB, rejectedReason BLOB
    ) STRICT;

    CREATE TABLE recollection (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      lastGeneration INTEGER NOT NULL,
      inDoubtThrough INTEGER NOT NULL,
      secretFirst INTEGER NOT NULL,
      secretSecond INTEGER NOT NULL,
      openings INTEGER NOT NULL
    ) STRICT;
    """

  /// Adds `misfirePolicy`, `catchupWindow` and `ifExists`. The columns are after the payload, because adding columns at the end
  /// takes constant time.
  private static let version2 = """
    ALTER TABLE schedule ADD COLUMN misfirePolicy TEXT;
    ALTER TABLE schedule ADD COLUMN catchupWindow TEXT;
    ALTER TABLE schedule ADD COLUMN ifExists TEXT;
    -- what a start did: 0 nothing was live, 1 it replaced a live one, 2 that stayed
    ALTER TABLE answeredCommand RENAME COLUMN replaced TO effect;
    """

  /// Splits the definition, written once, from the progress, written with every tick: a tick changes about 40 bytes, whatever the
  /// length of the payload. Progress rows are clustered by cohort: schedules with the same first slot tick together, so their rows
  /// share pages. Column `place` is the row key of the progress.
  private static let version3 = """
    ALTER TABLE schedule RENAME TO formerSchedule;

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

    INSERT INTO schedule SELECT generation, \(placeOfFormer), id, cron, every, at, duration, tickLimit,
      timezone, startDate, endDate, jitter, misfirePolicy, catchupWindow, ifExists, messageID, traceparent, tracestate,
      NULL, NULL, payload FROM formerSchedule;
    INSERT INTO progress SELECT \(placeOfFormer), generation, counter, slot, due, missed, since, endedAt,
      endReason, owesStopped, 0, 0, 0, 0, NULL, NULL, NULL FROM formerSchedule;
    DROP TABLE formerSchedule;

    CREATE INDEX progressByDue ON progress (due, generation) WHERE due IS NOT NULL;
    CREATE INDEX progressFollowingZone ON progress (due, generation) WHERE since IS NOT NULL;
    CREATE INDEX progressOwingStopped ON progress (generation) WHERE owesStopped = 1;
    CREATE INDEX progressByEnd ON progress (owesStopped, endReason IS NULL, endedAt, generation) WHERE owesStopped = 0;

    -- how many there are: to count them would take a second for each ten million
    ALTER TABLE recollection ADD COLUMN live INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE recollection ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
    UPDATE recollection SET live = (SELECT count(*) FROM progress WHERE due IS NOT NULL),
      ended = (SELECT count(*) FROM progress WHERE due IS NULL);

    CREATE TRIGGER scheduleRemoved AFTER DELETE ON schedule BEGIN
      DELETE FROM progress WHERE place = old.place;
    END;
    CREATE TRIGGER progressRemoved AFTER DELETE ON progress BEGIN
      UPDATE recollection SET live = live - (old.due IS NOT NULL), ended = ended - (old.due IS NULL);
    END;
    """

  /// The row key for a row of version 2, whose first slot is unknown. With literal numbers, because a migration never changes.
  private static let placeOfFormer =
    "max(0, min(coalesce(slot, endedAt) / 3600000, 2097151)) << 42 | generation"

  /// Adds the inbox of redelivered commands, the digest that identifies an unchanged Start, the kind of an end, on which retention
  /// depends, the jitter of the last tick, and the version of the cron rules.
  private static let version4 = """
    CREATE TABLE inbox (
      sequence INTEGER PRIMARY KEY,
      batch INTEGER NOT NULL,
      deliveries INTEGER NOT NULL,
      -- how often a process began to decide it and ended before it was decided
      tries INTEGER NOT NULL DEFAULT 0,
      -- what it was answered, as in answeredCommand
      started INTEGER, effect INTEGER, stopped INTEGER, rejectedField BLOB, rejectedReason BLOB,
      routingKey BLOB NOT NULL, properties BLOB NOT NULL, body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX inboxInOrder ON inbox (batch, deliveries DESC, sequence);

    -- schedules of which a command without message_id was applied from the inbox, and up to which batch what follows is
    -- applied whatever was answered before
    CREATE TABLE inboxReapplied (id BLOB PRIMARY KEY, batch INTEGER NOT NULL) STRICT, WITHOUT ROWID;

    ALTER TABLE recollection ADD COLUMN inboxBatch INTEGER NOT NULL DEFAULT 0;

    ALTER TABLE schedule ADD COLUMN startDigest BLOB;
    ALTER TABLE schedule ADD COLUMN isLasting INTEGER;
    UPDATE schedule SET isLasting = 1 WHERE ifExists IN ('keep', 'replaceIfChanged');

    -- 0 by a Stop, 1 automatically, 2 a one-shot fired, 3 automatically or fired and isLasting
    ALTER TABLE progress ADD COLUMN endKind INTEGER;
    UPDATE progress SET endKind = CASE
        WHEN endReason IS NOT NULL AND CAST(endReason AS TEXT) NOT IN
          ('Count Limit Reached', 'End Date Reached', 'No More Slots') THEN 0
        WHEN (SELECT isLasting FROM schedule WHERE generation = progress.generation) = 1 THEN 3
        WHEN endReason IS NULL THEN 2 ELSE 1
      END
      WHERE endedAt IS NOT NULL;
    DROP INDEX progressByEnd;
    CREATE INDEX progressByEnd ON progress (owesStopped, endKind, endedAt, generation) WHERE owesStopped = 0;

    -- in milliseconds after lastSlot; lastLateness counts from there
    ALTER TABLE progress ADD COLUMN lastJitter INTEGER;

    -- of cron expressions; 1: a * in a day field with a step restricts
    ALTER TABLE recollection ADD COLUMN rulesVersion INTEGER NOT NULL DEFAULT 1;
    """

  /// Adds what control commands set, in a table of its own: most schedules have no row in it, and rows of the others are not read
  /// with every tick. A group is listed in order of id.
  private static let version5 = """
    CREATE TABLE control (
      generation INTEGER PRIMARY KEY,
      id BLOB NOT NULL,
      groupName BLOB,
      -- each tag after its length in one byte
      tags BLOB,
      description BLOB,
      revision INTEGER NOT NULL,
      pausedSince INTEGER, pausedUntil INTEGER, pauseReason BLOB,
      -- 1 if the next tick may have been published before a pause moved its due time
      isSlotInDoubt INTEGER,
      -- the slot after one that may have been published, since an update changed the timing
      followingSlot INTEGER,
      -- what becomes of the slots of the last pause
      catchUpThrough INTEGER, catchUpPolicy TEXT,
      -- what the owed Schedule Resumed says
      resumedRevision INTEGER, resumedCounter INTEGER, resumedNext INTEGER, resumedMissed INTEGER,
      lastTrigger INTEGER,
      -- the owed triggered tick
      triggeredAt INTEGER, triggeredCounter INTEGER, triggeredNext INTEGER, triggeredMessageID BLOB,
      -- 1 if it owes one of these two
      owes INTEGER,
      -- of the definition, packed; a schedule with a target is due at 1 << 61 in milliseconds after its due time, so that the
      -- index of due times has these schedules behind the others
      target BLOB,
      triggeredPayload BLOB
    ) STRICT;
    CREATE INDEX controlByGroup ON control (groupName, id) WHERE groupName IS NOT NULL;
    CREATE INDEX controlPaused ON control (id) WHERE pausedSince IS NOT NULL;
    CREATE INDEX controlOwing ON control (generation) WHERE owes = 1;

    ALTER TABLE recollection ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
    CREATE TRIGGER controlAdded AFTER INSERT ON control WHEN new.pausedSince IS NOT NULL BEGIN
      UPDATE recollection SET paused = paused + 1;
    END;
    CREATE TRIGGER controlRemoved AFTER DELETE ON control WHEN old.pausedSince IS NOT NULL BEGIN
      UPDATE recollection SET paused = paused - 1;
    END;
    CREATE TRIGGER scheduleControlRemoved AFTER DELETE ON schedule BEGIN
      DELETE FROM control WHERE generation = old.generation;
    END;

    -- the generation that a pause, resume, trigger or update was about; effect of a rejection: 1 if it depends on the state
    ALTER TABLE answeredCommand ADD COLUMN controlled INTEGER;
    ALTER TABLE inbox ADD COLUMN controlled INTEGER;

    -- commands by group or prefix that are under way
    CREATE TABLE batch (
      number INTEGER PRIMARY KEY,
      key BLOB NOT NULL,
      -- stop, pause or resume, and what else the client sent
      command TEXT NOT NULL,
      groupName BLOB, prefix BLOB,
      maximum INTEGER NOT NULL,
      pauseUntil INTEGER, misfirePolicy TEXT, reason BLOB,
      messageID BLOB,
      matched INTEGER NOT NULL, changed INTEGER NOT NULL,
      -- 1 if it was answered before with these counts, and is applied again to some schedules
      isRepeat INTEGER NOT NULL,
      -- 1 when all members are stored
      isComplete INTEGER NOT NULL,
      CHECK ((groupName IS NULL) + (prefix IS NULL) = 1)
    ) STRICT;
    -- schedules to which a batch is still to be applied, or whose outcome is not confirmed
    CREATE TABLE batchMember (
      batch INTEGER NOT NULL,
      id BLOB NOT NULL,
      -- what it was answered, as in answeredCommand; null until it is decided
      started INTEGER, effect INTEGER, stopped INTEGER, rejectedField BLOB, rejectedReason BLOB, controlled INTEGER,
      matched INTEGER, changed INTEGER,
      PRIMARY KEY (batch, id)
    ) STRICT, WITHOUT ROWID;
    -- the answer to a batch command
    ALTER TABLE answeredCommand ADD COLUMN matched INTEGER;
    ALTER TABLE answeredCommand ADD COLUMN changed INTEGER;
    ALTER TABLE inbox ADD COLUMN matched INTEGER;
    ALTER TABLE inbox ADD COLUMN changed INTEGER;
    """
}
