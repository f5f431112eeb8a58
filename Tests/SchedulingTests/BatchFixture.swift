import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation

/// What tests of commands by group or prefix begin with.
protocol BatchFixture {}

extension BatchFixture {
  var group: BatchCommand.Selector { .group(Array("g".utf8)) }
  var stop: BatchCommand.Action { .stop(reason: "away") }
  var pause: BatchCommand.Action { .pause(end: nil, reason: "away", time: nil) }
  var resume: BatchCommand.Action { .resume(misfirePolicy: nil, reason: nil) }

  func definition(_ id: ScheduleID, group: String? = "g") throws -> Definition {
    var definition = Definition(id: id, timing: try Timing(cron: "* * * * *"))
    definition.group = group
    return definition
  }

  /// Schedules "a" to "c" of group "g", and "d" of none.
  func driver(store: MemoryStore = MemoryStore(), settings: Engine.Settings = Engine.Settings()) throws
    -> EngineDriver
  {
    var driver = try EngineDriver.connected(store: store, settings: settings)
    for id in ["a", "b", "c"] as [ScheduleID] { driver.start(try definition(id)) }
    driver.start(try definition("d", group: nil))
    driver.ack()
    return driver
  }

  func done(_ matched: Int, _ changed: Int, _ command: EventName = .pause) -> BatchDone {
    BatchDone(command: command, selector: group, counts: BatchCounts(matched: matched, changed: changed))
  }

  /// One member in a transaction, two in a page, two unconfirmed outcomes.
  var smallSteps: Engine.Settings {
    var settings = Engine.Settings()
    settings.batchStep = 1
    settings.batchPage = 2
    settings.maximumMemberOutcomes = 2
    return settings
  }
}
