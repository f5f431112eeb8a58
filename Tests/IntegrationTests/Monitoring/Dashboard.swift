import Foundation

/// The parts of `ops/monitoring/dashboard.json` that Grafana reads.
struct Dashboard: Decodable {
  struct Source: Decodable, Equatable {
    var type, uid: String
  }

  struct Place: Decodable {
    var x, y, w, h: Int

    func overlaps(_ other: Place) -> Bool {
      x < other.x + other.w && other.x < x + w && y < other.y + other.h && other.y < y + h
    }
  }

  struct Target: Decodable {
    var expr, refId: String
    var legendFormat: String?
    var datasource: Source?
  }

  struct Panel: Decodable {
    var id: Int
    var type, title: String
    var gridPos: Place
    var datasource: Source?
    var targets: [Target]?
  }

  struct Variable: Decodable {
    var name, type: String
    var datasource: Source?
  }

  struct Templating: Decodable {
    var list: [Variable]
  }

  /// Inputs on import; a data source that is a variable needs none.
  struct Input: Decodable {}

  var title, uid: String
  var schemaVersion: Int
  var panels: [Panel]
  var templating: Templating
  var __inputs: [Input]?

  init(_ file: URL) throws {
    self = try JSONDecoder().decode(Dashboard.self, from: Data(contentsOf: file))
  }

  /// The expression that Grafana sends when all instances are selected.
  static func query(_ expression: String) -> String {
    expression.replacing("$__rate_interval", with: "1m").replacing("$instance", with: ".*")
  }
}
