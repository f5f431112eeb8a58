import ArgumentParser
package import PocketwatchService
import Scheduling

/// Reads the values of `--delay`, each `front=back:type`.
package enum DelayOption {
  package static func topology(_ values: [String], names: TopologyNames) throws -> DelayTopology {
    var routes: [MessageRoute] = []
    var kinds: [DelayTopology.Front.Kind] = []
    for value in values {
      guard let colon = value.lastIndex(of: ":"), let equals = value[..<colon].firstIndex(of: "="),
        let kind = DelayTopology.Front.Kind(rawValue: String(value[value.index(after: colon)...]))
      else {
        let kinds = DelayTopology.Front.Kind.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--delay takes front=back:type, where the type of the front is one of \(kinds)")
      }
      let back = value[value.index(after: equals)..<colon]
      routes.append(MessageRoute(front: String(value[..<equals]), back: String(back)))
      kinds.append(kind)
    }
    do throws(ConfigurationError) {
      return DelayTopology(names: names, map: try DelayMap(routes, names: names), kinds: kinds)
    } catch {
      throw ValidationError("--delay: \(error.reason)")
    }
  }
}
