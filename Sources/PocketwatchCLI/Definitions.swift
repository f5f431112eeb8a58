import ArgumentParser
import PocketwatchService

struct Definitions: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the exchanges, queues and policies to import into the broker.",
    discussion: """
      Import the output with `rabbitmqctl import_definitions FILE` or in the management UI. It contains no users and no \
      secrets.
      """)

  @Option(help: "Stack name of the scheduler: a-z, 0-9 and -.")
  var stack = "pocketwatch"

  @Option(help: "The topic exchange for events.")
  var eventBus = "events"

  @Option(help: "The virtual host.")
  var vhost = "/"

  // Hidden until the service takes delayed messages.
  @Option(
    help: ArgumentHelp(
      "A delayed exchange, with its back and its type.", valueName: "front=back:type", visibility: .hidden))
  var delay: [String] = []

  func run() throws {
    guard TopologyNames.validStack(stack) != nil else {
      throw ValidationError("--stack takes 1 to 40 of a-z, 0-9 and -")
    }
    let names = TopologyNames(stack: stack, eventBus: eventBus)
    let delays = delay.isEmpty ? nil : try DelayOption.topology(delay, names: names)
    try StandardOutput.write(Topology(names: names).definitions(virtualHost: vhost, adding: delays))
    if let rights = delays?.rights {
      complain(
        "the scheduler's login needs the rights of: rabbitmqctl set_permissions -p \(shellWord(vhost)) LOGIN '^$'"
          + " \(shellWord(rights.write)) \(shellWord(rights.read))")
    }
  }
}
