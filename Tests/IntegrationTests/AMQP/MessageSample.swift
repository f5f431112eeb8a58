import AMQPTestKit

/// Properties of a message in parts, so that a test can say what a broker makes of them.
struct MessageSample: Sendable, CustomStringConvertible {
  typealias Header = PropertyBlock.Header

  var name: String
  /// The encoded values of properties other than headers, by the bit of their flag.
  var properties: [Int: [UInt8]] = [:]
  /// Nil when there are none, which is not the same as an empty table.
  var headers: [Header]?

  var description: String { name }

  private static let headersBit = 13
  private static let expirationBit = 8

  var block: [UInt8] {
    var values = properties
    values[Self.headersBit] = headers.map(PropertyBlock.table)
    let flags = values.keys.reduce(0 as UInt16) { $0 | 1 << UInt16($1) }
    return PropertyBlock.number(flags) + values.sorted { $0.key > $1.key }.flatMap(\.value)
  }

  /// As a broker of this major version delivers it the first time: one of these.
  func delivered(byMajorVersion version: Int) -> [MessageSample] {
    if version < 4 { return [self, normalized] }
    var sample = normalized
    if let expiration = properties[Self.expirationBit],
      let value = Int(String(decoding: expiration.dropFirst(), as: UTF8.self))
    {
      sample.properties[Self.expirationBit] = PropertyBlock.short(String(value))
    }
    sample.headers = normalized.headers.map { Self.sorted(Self.withoutRepeats($0)) }
    return [sample]
  }

  /// As a quorum queue delivers it again, without the counters that it adds.
  func redelivered(byMajorVersion version: Int) -> [MessageSample] {
    (version < 4 ? [normalized] : delivered(byMajorVersion: version)).map { delivered in
      var sample = delivered
      sample.headers = sample.headers.map(Self.sorted)
      if sample.headers?.isEmpty == true { sample.headers = nil }
      return sample
    }
  }

  /// By the bytes of their names.
  private static func sorted(_ headers: [Header]) -> [Header] {
    let order = headers.enumerated().sorted { left, right in
      let (first, second) = (Array(left.element.name.utf8), Array(right.element.name.utf8))
      return first == second ? left.offset < right.offset : first.lexicographicallyPrecedes(second)
    }
    return order.map(\.element)
  }

  /// The first of each name.
  private static func withoutRepeats(_ headers: [Header]) -> [Header] {
    var first: [Header] = []
    for header in headers where !first.contains(where: { $0.name == header.name }) { first.append(header) }
    return first
  }

  // MARK: Types that a broker rewrites

  private var normalized: MessageSample {
    var sample = self
    sample.headers = headers?.map { header in
      let (type, value) = Self.normalized(header.type, header.value)
      return (header.name, type, value)
    }
    return sample
  }

  /// An unsigned integer of 64 bits becomes a signed one, and every true boolean 1, at any depth.
  private static func normalized(_ type: Character, _ value: [UInt8]) -> (Character, [UInt8]) {
    switch type {
    case "L": ("l", value)
    case "t": (type, [value == [0] ? 0 : 1])
    case "F", "A": (type, PropertyBlock.counted(normalized(fields: value.dropFirst(4), areNamed: type == "F")))
    default: (type, value)
    }
  }

  private static let sizes: [Character: Int] = [
    "V": 0, "t": 1, "b": 1, "B": 1, "s": 2, "u": 2, "I": 4, "i": 4, "f": 4, "D": 5, "l": 8, "L": 8, "d": 8, "T": 8,
  ]

  private static func normalized(fields: ArraySlice<UInt8>, areNamed: Bool) -> [UInt8] {
    var (rest, result) = (fields, [] as [UInt8])
    while let first = rest.first {
      if areNamed {
        result += rest.prefix(1 + Int(first))
        rest = rest.dropFirst(1 + Int(first))
      }
      let type = Character(UnicodeScalar(rest.removeFirst()))
      let size = sizes[type] ?? 4 + rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      let (newType, value) = normalized(type, Array(rest.prefix(size)))
      rest = rest.dropFirst(size)
      result += [newType.asciiValue ?? 0] + value
    }
    return result
  }

  // MARK: Samples

  /// Every property alone, every type of a header alone, and all together.
  static let all: [MessageSample] = {
    var samples = [MessageSample(name: "nothing"), MessageSample(name: "empty headers", headers: [])]
    samples += properties.map { MessageSample(name: $0.name, properties: [$0.bit: $0.value]) }
    samples += values.map { MessageSample(name: "header \($0.type) \($0.value)", headers: [("h", $0.type, $0.value)]) }
    samples.append(everything)
    let names: [Header] = [("b", "V", []), ("", "t", [1]), ("é", "t", [0]), ("B", "b", [1]), ("a", "V", [])]
    samples.append(MessageSample(name: "order", headers: names))
    let twice: [Header] = [("b", "b", [1]), ("a", "b", [2]), ("b", "S", PropertyBlock.long("x"))]
    samples.append(MessageSample(name: "a name twice", headers: twice))
    let copies = PropertyBlock.counted([0x53] + PropertyBlock.long("nowhere"))
    samples.append(MessageSample(name: "CC", headers: [("CC", "A", copies)]))
    return samples
  }()

  private static var everything: MessageSample {
    var sample = MessageSample(name: "everything", headers: [])
    for property in properties where sample.properties[property.bit] == nil {
      sample.properties[property.bit] = property.value
    }
    for (index, value) in values.enumerated() { sample.headers?.append(("h\(index)", value.type, value.value)) }
    return sample
  }

  private typealias Property = (name: String, bit: Int, value: [UInt8])
  private typealias Value = (type: Character, value: [UInt8])

  private static let shortProperties: [(name: String, bit: Int)] = [
    ("content_type", 15), ("content_encoding", 14), ("correlation_id", 10), ("reply_to", 9), ("message_id", 7),
    ("type", 5), ("app_id", 3), ("cluster_id", 2),
  ]

  private static let properties: [Property] = {
    var properties: [Property] = []
    for (name, bit) in shortProperties {
      properties.append((name, bit, PropertyBlock.short(name)))
      properties.append(("empty \(name)", bit, [0]))
      properties.append(("binary \(name)", bit, [3, 0, 0xFF, 0x80]))
    }
    properties.append(("persistent", 12, [2]))
    properties.append(("transient", 12, [1]))
    properties.append(("priority", 11, [5]))
    properties.append(("priority 0", 11, [0]))
    properties.append(("timestamp", 6, PropertyBlock.number(UInt64(1_790_000_000))))
    properties.append(("timestamp 0", 6, PropertyBlock.number(UInt64(0))))
    properties.append(("expiration", 8, PropertyBlock.short("60000")))
    properties.append(("expiration with zeros", 8, PropertyBlock.short("0060000")))
    return properties
  }()

  private static let values: [Value] = numbers + strings + containers

  private static let numbers: [Value] = [
    ("V", []), ("t", [1]), ("t", [0]), ("t", [2]), ("b", [0x80]), ("B", [0xFF]), ("s", [0x80, 0]), ("u", [0xFF, 0xFF]),
    ("I", PropertyBlock.number(Int32.min)), ("i", PropertyBlock.number(UInt32.max)),
    ("l", PropertyBlock.number(Int64.min)), ("L", PropertyBlock.number(UInt64(7))),
    ("f", PropertyBlock.number(Float(1.5).bitPattern)), ("d", PropertyBlock.number(Double(-0.0).bitPattern)),
    ("D", [2, 0, 0, 1, 0x3A]), ("T", PropertyBlock.number(UInt64(0))), ("T", PropertyBlock.number(UInt64(1) << 40)),
  ]

  private static let strings: [Value] = [
    ("S", PropertyBlock.long("é")), ("S", PropertyBlock.long("")), ("S", PropertyBlock.counted([0xFF, 0])),
    ("x", PropertyBlock.counted([0, 0xFF])), ("x", PropertyBlock.counted([])),
  ]

  private static let containers: [Value] = {
    let seven: [UInt8] = PropertyBlock.number(UInt64(7))
    let inner: [UInt8] = PropertyBlock.table([("", "A", PropertyBlock.counted([]))])
    let mixed: [UInt8] = [0x56, 0x62, 1, 0x46] + inner
    let numbers: [UInt8] = [0x4C] + seven + [0x74, 2]
    let unsorted: [Header] = [("b", "V", []), ("a", "b", [1])]
    let twice: [Header] = [("a", "b", [1]), ("a", "b", [2])]
    let changed: [Header] = [("l", "L", seven), ("t", "t", [2])]
    var values: [Value] = [("F", PropertyBlock.table([])), ("A", PropertyBlock.counted([])), ("A", nested(100))]
    for fields in [unsorted, twice, changed] { values.append(("F", PropertyBlock.table(fields))) }
    for elements in [mixed, numbers] { values.append(("A", PropertyBlock.counted(elements))) }
    return values
  }()

  /// Arrays in arrays.
  private static func nested(_ depth: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    for level in 0..<depth { bytes += PropertyBlock.number(UInt32(5 * (depth - level))) + [0x41] }
    return bytes + PropertyBlock.number(UInt32(0))
  }
}
