/// Lines of a table. A cell that is wider than its column moves the rest of its line.
struct TextTable {
  private var widths: [Int]

  /// A wider cell does not widen its column.
  private static let widest = 48

  init(widths: [Int]) { self.widths = widths }

  /// Makes the columns as wide as these rows require.
  mutating func fit(_ rows: [[String]]) {
    for row in rows {
      for (column, cell) in zip(widths.indices, row) where cell.count <= Self.widest {
        widths[column] = max(widths[column], cell.count)
      }
    }
  }

  /// Cells without a column, and the last cell, are not padded.
  func line(_ cells: [String]) -> String {
    let padded = cells.enumerated().map { column, cell in
      let width = column < min(widths.count, cells.count - 1) ? widths[column] : 0
      return cell + String(repeating: " ", count: max(0, width - cell.count))
    }
    return padded.joined(separator: "  ")
  }
}
