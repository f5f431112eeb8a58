/// All settings: key in the JSON file, environment variable, default and description.
///
/// Command-line options override the environment, which overrides the file.
package enum Setting: String, CaseIterable, Sendable {
  case amqpURL = "amqp.url"
  case amqpURLFile = "amqp.urlFile"
  case amqpCAFile = "amqp.caFile"
  case eventBus
  case stack
  case database
  case userID = "userId"
  case directReply
  case targets
  case operators
  case misfireThreshold
  case publishWindow
  case endedRetention
  case http
  case httpTokenFile
  case httpWrite
  case httpOrigin
  case logLevel = "log.level"
  case logFormat = "log.format"

  /// The key in the JSON file. Dots denote nesting.
  package var key: String { rawValue }

  package var environmentVariable: String {
    switch self {
    case .amqpURL: "POCKETWATCH_AMQP_URL"
    case .amqpURLFile: "POCKETWATCH_AMQP_URL_FILE"
    case .amqpCAFile: "POCKETWATCH_AMQP_CA_FILE"
    case .eventBus: "POCKETWATCH_EVENT_BUS"
    case .stack: "POCKETWATCH_STACK"
    case .database: "POCKETWATCH_DATABASE"
    case .userID: "POCKETWATCH_USER_ID"
    case .directReply: "POCKETWATCH_DIRECT_REPLY"
    case .targets: "POCKETWATCH_TARGETS"
    case .operators: "POCKETWATCH_OPERATORS"
    case .misfireThreshold: "POCKETWATCH_MISFIRE_THRESHOLD"
    case .publishWindow: "POCKETWATCH_PUBLISH_WINDOW"
    case .endedRetention: "POCKETWATCH_ENDED_RETENTION"
    case .http: "POCKETWATCH_HTTP"
    case .httpTokenFile: "POCKETWATCH_HTTP_TOKEN_FILE"
    case .httpWrite: "POCKETWATCH_HTTP_WRITE"
    case .httpOrigin: "POCKETWATCH_HTTP_ORIGIN"
    case .logLevel: "POCKETWATCH_LOG_LEVEL"
    case .logFormat: "POCKETWATCH_LOG_FORMAT"
    }
  }

  /// The default, for help texts.
  package var defaultText: String {
    switch self {
    case .amqpURL: "required, unless the next is set"
    case .amqpURLFile: "none"
    case .amqpCAFile: "none; required with amqps"
    case .eventBus: "events"
    case .stack: "pocketwatch"
    case .database: "./pocketwatch.sqlite"
    case .userID: "on"
    case .directReply: "off"
    case .targets: "none"
    case .operators: "*"
    case .misfireThreshold: "60s"
    case .publishWindow: "512"
    case .endedRetention: "30d"
    case .http: "127.0.0.1:8472"
    case .httpTokenFile: "the database's path with .token, created at the first start; required beyond loopback"
    case .httpWrite: "off"
    case .httpOrigin: "none"
    case .logLevel: "info"
    case .logFormat: "auto"
    }
  }

  package var summary: String {
    switch self {
    case .amqpURL:
      "The broker: amqp://user:password@host:port/vhost, or amqps://; several, separated by spaces, are tried in turn"
    case .amqpURLFile: "A file with the URL, to keep the secret out of the environment"
    case .amqpCAFile: "PEM file of the authorities that may sign the broker's certificate"
    case .eventBus: "The topic exchange that carries all events"
    case .stack:
      "Name of this scheduler: a-z, 0-9 and -, up to 40; its queues begin with it, its events carry com.<stack>"
    case .database:
      "Path of the SQLite file, on a local disk. Under systemd the default is $STATE_DIRECTORY/pocketwatch.sqlite"
    case .userID: "on or off: whether events carry the login as user_id, which the broker validates"
    case .directReply:
      "on or off: whether replies also go to RabbitMQ's direct reply-to, which needs the right to write to amq.default"
    case .targets:
      "Who may publish events of their own instead of ticks, and where: a list of {user, exchange, routingKey, source}"
    case .operators:
      "The logins that may stop, pause and resume schedules by group or prefix, separated by commas; their messages need a "
        + "user_id. * for every client"
    case .misfireThreshold: "A slot counts as missed from this lateness on; a duration of 1s to 1d"
    case .publishWindow:
      "The most ticks published and not yet stored as sent, 1 to 4096: the most duplicates after a crash"
    case .endedRetention:
      "How long an ended schedule is retained, so that a Start with keep or replaceIfChanged does not run it again; 1h "
        + "to 366d"
    case .http: "Address and port of pages, health and metrics, such as 127.0.0.1:8472; or off"
    case .httpTokenFile: "A file with the token of pages and API, at least 16 characters; read again when it changes"
    case .httpWrite: "on or off: whether the pages can stop, restart, pause, resume and trigger schedules"
    case .httpOrigin: "The origin that browsers use behind a proxy, such as https://pocketwatch.example"
    case .logLevel: "trace, debug, info, notice, warning, error or critical"
    case .logFormat: "auto (text on a terminal, else JSON lines), text or json"
    }
  }
}
