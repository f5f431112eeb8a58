import Foundation

/// A Markdown page of this repository, by the tables under its headings.
struct ReferenceDocument {
  /// The cells of a row.
  typealias Row = [String]

  static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")

  let text: String
  /// The headings, in order, without their marks.
  private(set) var headings: [String] = []
  /// Under each heading its tables, without their first line.
  private var tables: [String: [[Row]]] = [:]

  /// - Parameter path: from the repository's root.
  init(_ path: String) throws {
    text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    var isCode = false
    var isTable = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") { isCode.toggle() }
      if isCode { continue }
      if line.hasPrefix("#") { headings.append(line.trimmingPrefix { $0 == "#" }.trimmingCharacters(in: .whitespaces)) }
      guard line.hasPrefix("|") else {
        isTable = false
        continue
      }
      if isTable {
        add(line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false).map(String.init))
      } else {
        tables[headings.last ?? "", default: []].append([])
        isTable = true
      }
    }
  }

  private mutating func add(_ row: Row) {
    guard !row[0].contains("---"), let heading = headings.last, let last = tables[heading]?.indices.last else { return }
    tables[heading]?[last].append(row.map { $0.trimmingCharacters(in: .whitespaces) })
  }

  /// The rows of a table; none where there is no such table.
  func rows(under heading: String, table: Int = 0) -> [Row] {
    guard let tables = tables[heading], table < tables.count else { return [] }
    return tables[table]
  }

  /// What stands between backticks in a column of a table.
  func names(under heading: String, table: Int = 0, column: Int = 0) -> [String] {
    rows(under: heading, table: table).flatMap { Self.names(in: $0[column]) }
  }

  static func names(in cell: String) -> [String] {
    cell.matches(of: /`([^`]+)`/).map { String($0.output.1) }
  }
}
