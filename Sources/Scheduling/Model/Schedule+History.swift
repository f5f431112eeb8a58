package import Recurrence

extension Schedule {
  /// How it began and what became of its ticks: kept for people, nothing is decided by it.
  package struct History: Hashable, Sendable {
    /// Nil for a schedule that was started under an earlier version.
    package var beginning: Beginning?
    package var tally: Tally

    package init(beginning: Beginning? = nil, tally: Tally = Tally()) {
      self.beginning = beginning
      self.tally = tally
    }
  }

  /// When its Start was taken, and whose that was.
  package struct Beginning: Hashable, Sendable {
    package var at: Instant
    /// The Start's `user_id`, for which the broker vouches: the login of who sent it.
    package var userID: String?

    package init(at: Instant, userID: String?) {
      self.at = at
      self.userID = userID
    }
  }

  /// What became of ticks. A crash may lose the refusals of one that was not confirmed yet.
  package struct Tally: Hashable, Sendable {
    /// Slots that were missed: folded into a later tick, or skipped.
    package var missed = 0
    /// Ticks that were confirmed and may have been sent before, on a connection or by a process that was lost.
    package var repeats = 0
    /// How often the broker refused a tick, or did not answer in time.
    package var refusals = 0
    /// Ticks that no queue took.
    package var returns = 0
    /// The last tick that was confirmed.
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
      /// How long after its due time it left, by the wall clock.
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

      /// When it left.
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
