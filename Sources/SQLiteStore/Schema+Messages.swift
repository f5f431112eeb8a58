extension Schema {
  /// Delayed messages: a narrow table for lists and the due index, and their contents apart.
  static let delayedMessages = """
    CREATE TABLE messageRoute (
      id INTEGER PRIMARY KEY,
      front BLOB NOT NULL,
      back BLOB NOT NULL,
      -- what is pending: to count it would take a second for each ten million
      messages INTEGER NOT NULL DEFAULT 0,
      bytes INTEGER NOT NULL DEFAULT 0,
      UNIQUE (front, back)
    ) STRICT;

    CREATE TABLE pendingMessage (
      -- in the order of arrival
      sequence INTEGER PRIMARY KEY,
      route INTEGER NOT NULL,
      due INTEGER NOT NULL,
      received INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      -- sequence >> 13 << 32 | a hash of messageID
      idKey INTEGER,
      routingKey BLOB NOT NULL,
      messageID BLOB,
      owner BLOB
    ) STRICT;
    CREATE INDEX pendingMessageByDue ON pendingMessage (route, due);
    CREATE INDEX pendingMessageByID ON pendingMessage (idKey) WHERE idKey IS NOT NULL;

    CREATE TABLE pendingContent (
      sequence INTEGER PRIMARY KEY,
      properties BLOB NOT NULL,
      body BLOB NOT NULL
    ) STRICT;
    """
}
