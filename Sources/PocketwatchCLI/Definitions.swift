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

  func run() throws {
    guard TopologyNames.validStack(stack) != nil else {
      throw ValidationError("--stack takes 1 to 40 of a-z, 0-9 and -")
    }
    let topology = Topology(names: TopologyNames(stack: stack, eventBus: eventBus))
    try StandardOutput.write(topology.definitions(virtualHost: vhost))
  }
}
