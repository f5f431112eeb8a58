import ArgumentParser
import PocketwatchService

@main
struct Pocketwatch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pocketwatch",
    abstract: "The scheduler for RabbitMQ.",
    discussion: """
      Publish a `Schedule Start` event to the topic exchange `events`, and `Schedule Tick` events come back when they are \
      due: by a cron expression, an interval, a duration or an instant.

      Run the service with `pocketwatch serve`. Set the broker's URL in POCKETWATCH_AMQP_URL, or in a file named by \
      POCKETWATCH_AMQP_URL_FILE; there is no option for it, because it contains a password. In another terminal:

        pocketwatch start --id hello --cron '*/5 * * * * *' --limit 3
        pocketwatch watch
        pocketwatch stop --id hello
      """,
    version: Version.description,
    subcommands: [
      Serve.self, Start.self, Update.self, Pause.self, Resume.self, Trigger.self, Stop.self, List.self, Show.self,
      Watch.self, Next.self, Explain.self, Definitions.self, Inspect.self, Backup.self, Doctor.self, Page.self,
    ])

  static func main() async {
    StandardOutput.prepare()
    await main(nil)
  }
}
