import Recurrence
import Scheduling

/// P32: nothing leaves for a target that is not allowed to its owner, and no command of one who may not publish there has an
/// effect. P33: what fails on one connection delays nothing on the other.
extension SimulationChecker {
  /// Whether the owner of a schedule may publish to its target.
  func mayPublish(_ id: ScheduleID) -> Bool {
    let generation = generations.last { tracks[$0]?.definition.id.bytes == id.bytes }
    return generation.flatMap { tracks[$0] }.map { mayPublish($0.definition, $0.owner) } ?? true
  }

  func mayPublish(_ definition: Definition, _ user: String?) -> Bool {
    definition.target.map { targetList.allows($0, user) } ?? true
  }

  /// A schedule with a target is stored by a Start.
  mutating func checkTarget(of started: Schedule) {
    expect(
      mayPublish(started.definition, messages[started.origin.label]?.user), "P32",
      "\(started.generation) is started with a target that its sender may not publish to")
    expect(
      started.origin.userID == messages[started.origin.label]?.user, "P32",
      "\(started.generation) belongs to \(started.origin.userID ?? "nobody")")
  }

  /// An Update of a schedule that then has a target.
  mutating func checkTarget(of updated: Schedule, before: Definition, by label: Int) {
    let (generation, definition) = (updated.generation, updated.definition)
    expect(
      mayPublish(definition, messages[label]?.user), "P32",
      "\(generation) is updated by one who may not publish to its target")
    guard definition.target != before.target else { return }
    reach(definition.target == nil ? .targetRemoved : .targetSet)
    if tracks[generation]?.isNextSent == true { reach(.targetChangedInDoubt) }
    if (definition.target == nil) != (before.target == nil) { leavesElsewhere(generation) }
    expect(
      mayPublish(definition, updated.origin.userID), "P32",
      "\(generation) is given a target that its owner may not publish to")
  }

  /// A tick that backs off or is timed out on one connection is sent again over the other.
  private mutating func leavesElsewhere(_ generation: Int64) {
    guard let slot = tracks[generation]?.nextTick?.slot, let sent = tracks[generation]?.sent[slot] else { return }
    let timeout: RareState? = now.uptime - sent.uptime >= 30_000 ? .resentAfterTimeout : nil
    tracks[generation]?.sent[slot]?.excuse = sent.excuse ?? timeout
    tracks[generation]?.sent[slot]?.refusals = []
    tracks[generation]?.sent[slot]?.isDetached = true
  }

  /// A Trigger with a payload.
  mutating func checkTarget(of triggered: Schedule, payload: [UInt8]?, by label: Int) {
    guard payload != nil else { return }
    expect(
      mayPublish(triggered.definition, messages[label]?.user), "P32",
      "\(triggered.generation) is triggered by one who may not publish to its target")
  }

  /// An event for a target leaves.
  mutating func checkTarget(of tick: Tick, _ origin: Origin) {
    guard let target = tick.definition.target else { return }
    reach(tick.isTriggered ? .targetTriggered : .targetSent)
    let owner = tracks[tick.generation]?.owner
    expect(origin.userID == owner, "P32", "\(tick.brief) is said to belong to \(origin.userID ?? "nobody")")
    let isAllowed = targetList.allows(target, owner)
    expect(isAllowed, "P32", "\(tick.brief) leaves for \(target.place), where \(owner ?? "nobody") may not")
  }

  /// A command is refused for its target only if the list did not allow that once.
  mutating func checkRefusal(_ rejection: Rejection, of label: Int) {
    guard rejection.field == "target" else { return }
    reach(.targetRejected)
    // The owner of the schedule may not publish to a target that an Update sets.
    var setsTarget = false
    if case .command(.update(let update), _)? = messages[label]?.content {
      setsTarget = update.change.values.contains { if case .target = $0 { true } else { false } }
    }
    expect(
      wasListShort || setsTarget || messages[label]?.user != TargetList.administrator, "P32",
      "message \(label) is rejected, and may name every target")
  }

  /// P33: ticks with a target do not wait for the event bus.
  mutating func finishedWithoutBus() {
    for generation in generations {
      guard let track = tracks[generation], !track.isReplaced, !track.isPaused, let nextTick = track.nextTick,
        track.definition.target != nil
      else { continue }
      reach(.finishedWithoutBus)
      expect(nextTick.due > now.wall, "P33", "\(generation) was due at \(nextTick.due.rfc3339), and waits for the bus")
    }
  }

  /// Whether nothing is expected of a schedule while nothing can leave for targets.
  func isLeftOut(_ track: SimulationTrack, _ exception: Exception) -> Bool {
    exception.poisoned.contains(track.definition.id) || !exception.hasTargets && track.definition.target != nil
  }

  /// From what nothing is expected yet.
  struct Exception {
    var poisoned: [ScheduleID] = []
    var hasTargets = true
    var hasRoomForOwed = true
  }
}
