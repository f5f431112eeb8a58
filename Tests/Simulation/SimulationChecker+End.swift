import Recurrence
import Scheduling

/// The end of a run.
extension SimulationChecker {
  mutating func finished() {
    for label in submitted { expect(settled.contains(label), "P1", "message \(label) is left") }
    for generation in generations {
      guard let track = tracks[generation], !track.isReplaced else { continue }
      if let pending = track.pending {
        expect(pending.due > now.wall, "P5", "\(generation) was due at \(pending.due.rfc3339) and was not sent")
        let ahead = pending.slot.milliseconds - now.wall.milliseconds - (track.step ?? .max / 2)
        expect(ahead <= 86_400_000, "P12", "\(generation) waits until \(pending.slot.rfc3339)")
      } else if track.ending?.reason == Schedule.EndReason.countLimit {
        // Of a tick that was given up the confirm may have come late.
        let count = track.confirmed.subtracting(track.givenUp).count + track.countedBefore
        expect(Int64(count) == track.limit, "P8", "\(generation) ended after \(count) ticks")
        expect(track.isAnnounced, "P8", "\(generation) ended without its Stopped")
      }
    }
    checkEndState()
  }

  /// Whatever was delivered again and in whatever pieces, the last command on an id decides what stands there; one that
  /// was sent before does not count.
  private mutating func checkEndState() {
    // A Start that let a live schedule be, as it was told to, decides nothing, nor does one that was refused.
    let hasLeftItBe: (Int?) -> Bool = { [answers] label in
      switch label.flatMap({ answers[$0]?.last }) {
      case .started(let started): started.effect == .kept
      case .rejected: true
      default: false
      }
    }
    var last: [ScheduleID: (label: Int, command: Command)] = [:]
    var ids: [ScheduleID] = []
    var keys: Set<CommandKey> = []
    for label in submitted {
      guard case .command(let command, let key)? = messages[label]?.content else { continue }
      if let key, !keys.insert(key).inserted {
        reach(.repeatAnswered)
        continue
      }
      if last.updateValue((label, command), forKey: command.id) == nil { ids.append(command.id) }
    }
    for id in ids {
      let track = generations.last { tracks[$0]?.definition.id == id }.flatMap { tracks[$0] }
      guard !hasLeftItBe(last[id]?.label) else { continue }
      // What was applied again is not known any more once the process that did it is gone, too.
      guard id != SimulatedClients.mixed || crashes < 2 else { continue }
      switch last[id]?.command {
      case .start:
        let isStopped = track?.ending?.reason?.hasPrefix("stop ") == true
        expect(!isStopped, "P2", "\(id.text) was stopped by a command older than message \(last[id]?.label ?? 0)")
        expect(track?.label == last[id]?.label, "P2", "\(id.text) is not as message \(last[id]?.label ?? 0) left it")
      case .stop:
        expect(track?.pending == nil, "P2", "\(id.text) lives after message \(last[id]?.label ?? 0) stopped it")
      case nil: break
      }
    }
  }
}
