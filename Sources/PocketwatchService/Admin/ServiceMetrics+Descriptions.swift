import PrometheusMetrics

extension ServiceMetrics {
  /// Help texts and buckets.
  static let descriptions = [
    MetricDescription("pocketwatch_ticks_published_total", help: "Ticks published, including duplicates."),
    MetricDescription(
      "pocketwatch_tick_lateness_seconds", help: "Time from due time (slot + jitter) to publishing of a tick.",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600]),
    MetricDescription(
      "pocketwatch_publish_confirm_seconds", help: "Time from publishing to confirm of a message.",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]),
    MetricDescription("pocketwatch_confirms_outstanding", help: "Messages in flight: published and not yet confirmed."),
    MetricDescription("pocketwatch_commands_total", help: "Commands processed, by type and result."),
    MetricDescription(
      "pocketwatch_replies_total",
      help: "Replies to clients: sent, dropped (not sent or not confirmed), or refused because of their reply_to."),
    MetricDescription("pocketwatch_returned_total", help: "Unroutable ticks, returned by the broker."),
    MetricDescription("pocketwatch_nacked_total", help: "Nacks by the broker. An event may be nacked several times."),
    MetricDescription("pocketwatch_confirm_timeouts_total", help: "Events that were not confirmed in 30 s."),
    MetricDescription(
      "pocketwatch_given_up_total", help: "Ticks that expired after an hour of retries."),
    MetricDescription(
      "pocketwatch_outcomes_given_up_total",
      help: "Outcomes that expired after a minute of nacks, or five minutes without a confirm. Their effect is stored."),
    MetricDescription(
      "pocketwatch_schedules", help: "Stored schedules, by state. Paused ones are also counted as live."),
    MetricDescription("pocketwatch_missed_total", help: "Missed slots that were folded or skipped, by misfirePolicy."),
    MetricDescription(
      "pocketwatch_next_due_timestamp_seconds",
      help: "Due time of the next tick, if within the next 30 s or in the past."),
    MetricDescription(
      "pocketwatch_amqp_connected", help: "Whether a connection to the broker is healthy, by connection."),
    MetricDescription(
      "pocketwatch_amqp_blocked", help: "Whether the broker has blocked publishing because of an alarm."),
    MetricDescription(
      "pocketwatch_target_problems",
      help: "What cannot be published to targets: the connection, and each exchange or topic that the broker refuses."),
    MetricDescription("pocketwatch_intake_suspended", help: "Whether the intake of commands is suspended."),
    MetricDescription("pocketwatch_commands_redelivered_total", help: "Redelivered commands."),
    MetricDescription(
      "pocketwatch_sqlite_commit_seconds", help: "Duration of a transaction, including its sync to disk.",
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]),
    MetricDescription("pocketwatch_sqlite_wal_bytes", help: "Size of the database's write-ahead log in bytes."),
    MetricDescription("pocketwatch_sqlite_database_bytes", help: "Size of the database file in bytes."),
    MetricDescription(
      "pocketwatch_build_info", help: "Always 1; the labels are the versions of Pocketwatch and of the time zone data."),
  ]
}
