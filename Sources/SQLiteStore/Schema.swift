import GRDB
import Scheduling

/// The layout of the database, and what tells our files from others.
enum Schema {
  /// "Pkwt", in the header of every database of ours (`PRAGMA application_id`).
  static let applicationID: Int64 = 0x506b_7774

  /// Every layout there ever was, in order. What is released is never edited: a change is a new migration.
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
    return migrator
  }

  /// Instants are milliseconds since 1970 UTC. Free text is kept as bytes of UTF-8, because SQLite's text ends for many
  /// of its functions at a NUL, which JSON may hold.
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

  /// What became of missed slots and of a live id was not the client's to say before. Columns are added behind the payload
  /// all the same, since that takes no time whatever the number of rows.
  private static let version2 = """
    ALTER TABLE schedule ADD COLUMN misfirePolicy TEXT;
    ALTER TABLE schedule ADD COLUMN catchupWindow TEXT;
    ALTER TABLE schedule ADD COLUMN ifExists TEXT;
    -- what a start did: 0 nothing was live, 1 it replaced a live one, 2 that stayed
    ALTER TABLE answeredCommand RENAME COLUMN replaced TO effect;
    """

  /// What a schedule was asked to be, written once, and how far it has come, written with every tick, are tables of their
  /// own: a tick rewrites some twenty bytes on a page with a hundred others, whatever the length of the payload.
  private static let version3 = """
    ALTER TABLE schedule RENAME TO formerSchedule;

    CREATE TABLE schedule (
      generation INTEGER PRIMARY KEY,
      id BLOB NOT NULL UNIQUE,
      -- the definition: exactly one of these four, then what else the client sent
      cron TEXT, every TEXT, at INTEGER, duration TEXT,
      tickLimit INTEGER, timezone TEXT, startDate INTEGER, endDate INTEGER, jitter TEXT,
      misfirePolicy TEXT, catchupWindow TEXT, ifExists TEXT,
      -- of the message that started it
      messageID BLOB, traceparent BLOB, tracestate BLOB,
      -- last, because it may be long: what stands before it is read without it
      payload BLOB,
      CHECK ((cron IS NULL) + (every IS NULL) + (at IS NULL) + (duration IS NULL) = 3)
    ) STRICT;

    CREATE TABLE progress (
      generation INTEGER PRIMARY KEY REFERENCES schedule ON DELETE CASCADE,
      counter INTEGER NOT NULL,
      -- a live schedule's next tick; since: only of those that follow a time zone
      slot INTEGER, due INTEGER, missed INTEGER, since INTEGER,
      -- an ended schedule's end; a one-shot that fired has no reason
      endedAt INTEGER, endReason BLOB, owesStopped INTEGER,
      CHECK ((due IS NULL) + (endedAt IS NULL) = 1)
    ) STRICT;

    INSERT INTO schedule SELECT generation, id, cron, every, at, duration, tickLimit, timezone, startDate, endDate, jitter,
      misfirePolicy, catchupWindow, ifExists, messageID, traceparent, tracestate, payload FROM formerSchedule;
    INSERT INTO progress SELECT generation, counter, slot, due, missed, since, endedAt, endReason, owesStopped
      FROM formerSchedule;
    DROP TABLE formerSchedule;

    CREATE INDEX progressByDue ON progress (due) WHERE due IS NOT NULL;
    CREATE INDEX progressFollowingZone ON progress (due) WHERE since IS NOT NULL;
    CREATE INDEX progressOwingStopped ON progress (owesStopped) WHERE owesStopped = 1;
    CREATE INDEX progressByEnd ON progress (owesStopped, endReason IS NULL, endedAt) WHERE owesStopped = 0;
    """
}
