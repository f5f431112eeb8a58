import ArgumentParser
import PocketwatchService

struct Definitions: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the exchanges, queues and policies to import into the broker.",
    discussion: """
      Import what it prints with `rabbitmqctl import_definitions FILE`, or through the management page. It holds no users \
      and no secrets.
      """)

  @Option(help: "Name of the scheduler: a-z, 0-9 and -.")
  var stack = "pocketwatch"

  @Option(help: "The topic exchange of all events.")
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
