import ArgumentParser

/// The measurements of `ops/bench`: single functions, and the whole program beside a bare publisher.
@main
struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmarks", abstract: "Measurements. Run them with ops/bench.", subcommands: [Micro.self, Rows.self])
}
