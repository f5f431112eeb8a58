/// How far a clean stop has come.
enum Drain {
  case running
  /// What is in flight is finished and nothing new begun.
  case draining
  /// Nothing is in flight any more.
  case drained
}
