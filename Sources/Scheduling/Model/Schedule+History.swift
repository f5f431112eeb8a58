package import Recurrence

extension Schedule {
  /// How a schedule began and how its ticks were delivered. Shown to people; no decision depends on it.
  package struct History: Hashable, Sendable {
    /// Nil for a schedule that was started by an earlier version.
    package var beginning: Beginning?
    package var tally: Tally

    package init(beginning: Beginning? = nil, tally: Tally = Tally()) {
      self.beginning = beginning
      self.tally = tally
    }
  }

  /// When its Start was accepted.
  package struct Beginning: Hashable, Sendable {
    package var at: Instant

    package init(at: Instant) { self.at = at }
  }

  /// Delivery results of a schedule's ticks. A crash may lose the failures of a tick that was not confirmed yet.
  package struct Tally: Hashable, Sendable {
    /// Missed slots: folded into a later tick, or skipped.
    package var missed = 0
    /// Confirmed ticks that may be duplicates: sent before, on an earlier connection or by an earlier process.
    package var repeats = 0
    /// How often a tick was nacked or timed out.
    package var refusals = 0
    /// Unroutable ticks.
    package var returns = 0
    /// The last confirmed tick.
    package var last: Last?

    package init(missed: Int = 0, repeats: Int = 0, refusals: Int = 0, returns: Int = 0, last: Last? = nil) {
      self.missed = missed
      self.repeats = repeats
      self.refusals = refusals
      self.returns = returns
      self.last = last
    }

    package struct Last: Hashable, Sendable {
      package var slot: Instant
      /// How long after its slot it was due.
      package var jitterMilliseconds: Int64
      /// How long after its due time it was sent, by the wall clock.
      package var latenessMilliseconds: Int64
      /// How long the broker took to confirm it.
      package var confirmationMilliseconds: Int64

      package init(
        slot: Instant, jitterMilliseconds: Int64 = 0, latenessMilliseconds: Int64, confirmationMilliseconds: Int64
      ) {
        self.slot = slot
        self.jitterMilliseconds = jitterMilliseconds
        self.latenessMilliseconds = latenessMilliseconds
        self.confirmationMilliseconds = confirmationMilliseconds
      }

      /// When it was sent.
      package var sentAt: Instant {
        slot.advanced(byMilliseconds: jitterMilliseconds).advanced(byMilliseconds: latenessMilliseconds)
      }
    }

    package static func += (sum: inout Tally, more: Tally) {
      sum.missed += more.missed
      sum.repeats += more.repeats
      sum.refusals += more.refusals
      sum.returns += more.returns
      sum.last = more.last ?? sum.last
    }
  }
}
