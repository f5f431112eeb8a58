import Foundation

/// Findings as a table for terminals and Markdown.
struct Table {
  private var lines: [[String]] = [["work", "ours", "bare", "result (from, to)", "reach", "aim", "so"]]

  init(_ findings: [Finding]) {
    for finding in findings { lines.append(Self.line(finding)) }
  }

  private static func line(_ finding: Finding) -> [String] {
    let resultUnit = finding.comparison == .ratio ? .times : finding.unit
    let results = finding.results
    var result = resultUnit.text(results.median)
    if let least = results.min(), let most = results.max(), results.count > 1 {
      result += " (\(resultUnit.text(least)), \(resultUnit.text(most)))"
    }
    return [
      finding.work, finding.unit.text(finding.ours.median),
      finding.bare.isEmpty ? "" : finding.unit.text(finding.bare.median), result,
      resultUnit.text(finding.reach), resultUnit.text(finding.aim), finding.verdict,
    ]
  }

  var text: String {
    let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    var rows = lines.map { line in
      "| " + zip(line, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: " | ")
        + " |"
    }
    rows.insert("|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|", at: 1)
    return rows.joined(separator: "\n")
  }
}

extension Unit {
  func text(_ value: Double) -> String {
    switch self {
    case .perSecond: "\(Int(value.rounded()))/s"
    case .milliseconds: String(format: "%.2f ms", value)
    case .seconds: String(format: "%.2f s", value)
    case .microseconds: String(format: "%.1f us", value)
    case .megabytes: String(format: "%.0f MB", value)
    case .bytes: String(format: "%.0f B", value)
    case .times: String(format: "%.2f", value)
    }
  }
}
