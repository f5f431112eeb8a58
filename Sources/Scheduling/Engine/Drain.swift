/// The progress of a clean stop.
enum Drain {
  /// Becomes draining.
  case running
  /// Work in flight is finished and nothing new begins. Becomes drained.
  case draining
  /// Nothing is in flight.
  case drained
}
