import ArgumentParser
import Glibc
import PocketwatchService
import Scheduling

/// A command on one schedule, or on all of a group or with a prefix: publishes its event, waits for the outcome and prints
/// it.
protocol SelectiveCommand: AsyncParsableCommand {
  static var event: EventName { get }
  /// The outcome for one schedule, unless it is rejected.
  static var outcome: EventName { get }
  var command: SelectiveOptions { get }

  /// Adds what it says besides the selection.
  func addFields(to detail: inout EventDetail)
}

extension SelectiveCommand {
  var detail: EventDetail { detail(upTo: command.max) }

  /// - Parameter maximum: If more match, nothing is done; nil for what the service does by default.
  private func detail(upTo maximum: Int?) -> EventDetail {
    var detail = EventDetail()
    command.addSelection(to: &detail)
    if let maximum { detail.add("max", number: Int64(maximum)) }
    addFields(to: &detail)
    return detail
  }

  func run() async throws {
    var answer = command.answer
    if command.isBatch {
      answer.timeout = answer.timeout ?? SelectiveOptions.patience
      guard command.yes || isatty(STDIN_FILENO) != 0 else {
        throw ValidationError("there is no terminal to confirm at: pass --yes")
      }
    }
    try await BusClient.connected(to: command.broker.broker(), answer) { client in
      guard command.isBatch else {
        return try answer.show(client.send(Self.event, detail, outcome: Self.outcome))
      }
      let maximum = command.yes ? command.max : min(try confirmed(client), command.max ?? .max)
      // A member that is rejected is not the end of it.
      let done = try client.send(Self.event, detail(upTo: maximum), outcome: .batchDone) {
        !$0.isRejection || $0.id == nil
      }
      try answer.show(done)
    }
  }

  /// Asks on the terminal if several schedules match, and exits if the answer is no. Returns how many may be changed: those
  /// that were counted, or one.
  private func confirmed(_ client: BusClient) throws -> Int {
    try client.acceptReplies()
    var count = 0
    try command.list.forEachPage { detail in
      try command.answer.accepted(client.ask(.list, detail)).detail
    } _: { schedules in
      count += schedules.count { $0.string("state") != Schedule.PublicState.ended.rawValue }
    }
    guard count > 1 else { return 1 }
    let verb = Self.event.rawValue.replacing("Schedule ", with: "")
    try StandardOutput.write("\(verb) \(count) schedules of \(command.selectionText)? [y/N] ")
    guard let reply = readLine(), ["y", "yes"].contains(reply.lowercased()) else {
      complain("nothing was done")
      throw ExitCode.rejected
    }
    return count
  }
}

/// Which schedules a command is about, and how to wait for its outcome.
struct SelectiveOptions: ParsableArguments {
  @OptionGroup var broker: BrokerOptions
  @OptionGroup var answer: AnswerOptions

  @Option(help: "Id of the schedule, 1 to 200 bytes.")
  var id: String?

  @Option(help: "Instead of --id: all schedules of this group.")
  var group: String?

  @Option(help: "Instead of --id: all schedules whose id begins with this.")
  var prefix: String?

  @Option(help: "With --group or --prefix: if more match, nothing is done. [what was confirmed; with --yes 1000]")
  var max: Int?

  @Flag(help: "With --group or --prefix: do not ask.")
  var yes = false

  var isBatch: Bool { id == nil }

  /// Seconds to wait for several schedules, unless the user says otherwise.
  static let patience = 600.0

  func validate() throws {
    guard [id, group, prefix].count(where: { $0 != nil }) == 1 else {
      throw ValidationError("pass exactly one of --id, --group and --prefix")
    }
    if !isBatch, max != nil || yes { throw ValidationError("--max and --yes are for --group and --prefix") }
  }

  func addSelection(to detail: inout EventDetail) {
    detail.add("id", text: id)
    detail.add("group", text: group)
    detail.add("prefix", text: prefix)
  }

  /// For people.
  var selectionText: String {
    group.map { "group \(shownText($0))" } ?? "prefix \(shownText(prefix ?? ""))"
  }

  /// The listing of what is selected. Parsed, since properties of a command that was not cannot be read.
  var list: List {
    get throws { try List.parse([group.map { "--group=\($0)" } ?? "--prefix=\(prefix ?? "")"]) }
  }
}
