import CRabbitMQ

extension RawProperties {
  /// What changes in a block when its message is sent on. Everything else stays as it is, byte for byte.
  package struct Forwarding: OptionSet, Sendable, Hashable {
    package var rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `x-delay` gets the opposite sign, if it is a delay.
    package static let negatingDelay = Forwarding(rawValue: 1)
    /// Without `user_id`: the broker refuses (406) any but the publishing login's.
    package static let withoutUserID = Forwarding(rawValue: 2)
    /// Without the headers with which a quorum queue counts deliveries: from redelivered messages only, since on a first
    /// delivery a header of that name is the client's own.
    package static let withoutDeliveryCount = Forwarding(rawValue: 4)
    package static let withoutAcquiredCount = Forwarding(rawValue: 8)
  }

  /// The block to send on.
  package func forwarded(_ changes: Forwarding) -> RawProperties {
    let edits = headerEdits(changes)
    let isWithoutUserID = changes.contains(.withoutUserID) && CInt(flags) & AMQP_BASIC_USER_ID_FLAG != 0
    guard !edits.isEmpty || isWithoutUserID else { return self }
    var (newFlags, result, offset) = (flags, [] as [UInt8], 2)
    result.reserveCapacity(bytes.count + 8)
    result += [0, 0]
    if let table = value(of: AMQP_BASIC_HEADERS_FLAG), !edits.isEmpty {
      result += bytes[offset..<table.lowerBound]
      let fields = edited(table.dropFirst(4), by: edits)
      // A table that the broker made for its counter alone.
      if fields.isEmpty {
        newFlags &= ~UInt16(AMQP_BASIC_HEADERS_FLAG)
      } else {
        result += withUnsafeBytes(of: UInt32(fields.count).bigEndian) { Array($0) }
        result += fields
      }
      offset = table.upperBound
    }
    if isWithoutUserID, let userID = value(of: AMQP_BASIC_USER_ID_FLAG) {
      result += bytes[offset..<userID.lowerBound]
      newFlags &= ~UInt16(AMQP_BASIC_USER_ID_FLAG)
      offset = userID.upperBound
    }
    result += bytes[offset...]
    (result[0], result[1]) = (UInt8(newFlags >> 8), UInt8(truncatingIfNeeded: newFlags))
    return RawProperties(checked: result)
  }

  /// A range of the block, and what comes there instead.
  private typealias Edit = (range: Range<Int>, replacement: [UInt8])

  /// In the order of the headers.
  private func headerEdits(_ changes: Forwarding) -> [Edit] {
    guard changes != .withoutUserID, !changes.isEmpty else { return [] }
    var edits: [Edit] = []
    var isDelayFound = false
    forEachHeader { header in
      if isCount(header.name, changes) {
        edits.append((header.whole, []))
      } else if changes.contains(.negatingDelay), !isDelayFound, isName(header.name, DelayHeader.name) {
        isDelayFound = true
        if let negated = negated(header) { edits.append((header.name.upperBound..<header.whole.upperBound, negated)) }
      }
    }
    return edits
  }

  private func isCount(_ name: Range<Int>, _ changes: Forwarding) -> Bool {
    changes.contains(.withoutDeliveryCount) && isName(name, "x-delivery-count")
      || changes.contains(.withoutAcquiredCount) && isName(name, "x-acquired-count")
  }

  private func edited(_ range: Range<Int>, by edits: [Edit]) -> [UInt8] {
    var (result, offset) = ([] as [UInt8], range.lowerBound)
    for edit in edits {
      result += bytes[offset..<edit.range.lowerBound]
      result += edit.replacement
      offset = edit.range.upperBound
    }
    return result + bytes[offset..<range.upperBound]
  }
}

extension ServerInfo {
  /// Removes what this broker adds to messages that it delivers again.
  package var withoutCounts: RawProperties.Forwarding {
    countsAcquisitions ? [.withoutDeliveryCount, .withoutAcquiredCount] : .withoutDeliveryCount
  }
}
