import PrometheusMetrics

extension ServiceMetrics {
  /// Help and buckets, for the registry.
  static let descriptions = [
    MetricDescription("pocketwatch_ticks_published_total", help: "Ticks handed to the broker, repeats included."),
    MetricDescription(
      "pocketwatch_tick_lateness_seconds", help: "How long after its due time (slot and jitter) a tick left.",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600]),
    MetricDescription(
      "pocketwatch_publish_confirm_seconds", help: "How long the broker took to confirm a message.",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]),
    MetricDescription("pocketwatch_confirms_outstanding", help: "Messages published and not yet confirmed."),
    MetricDescription("pocketwatch_commands_total", help: "Commands answered, by type and result."),
    MetricDescription("pocketwatch_returned_total", help: "Ticks that no queue took."),
    MetricDescription("pocketwatch_nacked_total", help: "Refusals by the broker, of which each event may get several."),
    MetricDescription("pocketwatch_confirm_timeouts_total", help: "Events that the broker did not confirm in 30 s."),
    MetricDescription(
      "pocketwatch_given_up_total", help: "Ticks given up after an hour of refusals or without a confirm."),
    MetricDescription(
      "pocketwatch_outcomes_given_up_total",
      help: "Outcomes given up after a minute of refusals or five without a confirm; what they tell of is stored."),
    MetricDescription("pocketwatch_schedules", help: "Schedules that are kept, by state."),
    MetricDescription("pocketwatch_missed_total", help: "Slots missed and not sent on their own, by misfirePolicy."),
    MetricDescription(
      "pocketwatch_next_due_timestamp_seconds",
      help: "When the next tick is due, if within the half minute that is loaded ahead, or overdue."),
    MetricDescription("pocketwatch_amqp_connected", help: "Whether a connection to the broker is well, by connection."),
    MetricDescription("pocketwatch_amqp_blocked", help: "Whether the broker takes no messages because of an alarm."),
    MetricDescription("pocketwatch_intake_suspended", help: "Whether commands are left in their queue for a while."),
    MetricDescription("pocketwatch_commands_redelivered_total", help: "Commands that the broker delivered again."),
    MetricDescription(
      "pocketwatch_sqlite_commit_seconds", help: "How long a transaction took, with its wait for the disk.",
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]),
    MetricDescription("pocketwatch_sqlite_wal_bytes", help: "Size of the database's write-ahead log in bytes."),
    MetricDescription("pocketwatch_sqlite_database_bytes", help: "Size of the database's file in bytes."),
    MetricDescription("pocketwatch_build_info", help: "Always 1; the labels name version and time zone data."),
  ]
}
