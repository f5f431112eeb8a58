import Bytes
import Recurrence
import Scheduling

/// The Detail of each event, without `payload`, which is written last.
extension JSONWriter {
  /// - Parameters:
  ///   - id: The tickId, `<id>@<slot>`.
  ///   - slot: The slot in RFC 3339.
  mutating func write(_ tick: Tick, id: [UInt8], slot: [UInt8]) {
    write(tick.definition)
    field("counter", tick.counter)
    field("tickId", id)
    field("scheduledTime", slot)
    if let next = tick.nextSlot { field("nextTickDate", next) }
    if tick.missed > 0 { field("missed", Int64(tick.missed)) }
    if tick.isTriggered { field("trigger", "manual") }
  }

  mutating func write(_ started: Started) {
    write(started.definition)
    field("counter", started.counter)
    if let next = started.nextSlot { field("nextTickDate", next) }
    flag("replaced", started.effect == .replaced)
    flag("kept", started.effect == .kept)
    flag("ended", started.hasEnded)
    field("revision", started.revision)
    field("paused", boolean: started.isPaused)
    if !started.ignored.isEmpty { field("ignored", texts: started.ignored) }
  }

  mutating func write(_ stopped: Stopped) {
    if let definition = stopped.definition {
      write(definition)
    } else {
      field("id", stopped.id.bytes)
    }
    field("counter", stopped.counter)
    field("reason", stopped.reason)
  }

  mutating func write(_ controlled: Controlled) {
    if let definition = controlled.shownDefinition { write(definition) } else { field("id", controlled.id.bytes) }
    if case .triggered(let instant?) = controlled.effect {
      field("tickId", controlled.id.bytes + Array("@\(instant.rfc3339)/trigger".utf8))
    }
    field("counter", controlled.counter)
    if let next = controlled.nextSlot { field("nextTickDate", next) }
    switch controlled.effect {
    case .paused:
      if let pause = controlled.pause { write(pause) }
    case .resumed(let missed, let reason):
      field("missed", Int64(missed))
      if let reason { field("reason", reason) }
    case .updated(let changed, let ignored):
      field("changed", texts: changed)
      if !ignored.isEmpty { field("ignored", texts: ignored) }
    case .triggered: break
    }
    flag("ended", controlled.hasEnded)
    field("revision", controlled.revision)
    field("paused", boolean: controlled.pause != nil)
  }

  mutating func write(_ pause: Schedule.Pause) {
    field("pausedDate", pause.since)
    if let until = pause.until { field("pausedUntil", until) }
    if let reason = pause.reason { field("reason", reason) }
  }

  mutating func write(_ done: BatchDone) {
    field("command", done.command.rawValue)
    write(done.selector)
    field("matched", Int64(done.counts.matched))
    field("changed", Int64(done.counts.changed))
    field("unchanged", Int64(done.counts.unchanged))
  }

  mutating func write(_ selector: BatchCommand.Selector) {
    switch selector {
    case .group(let name): field("group", name)
    case .prefix(let prefix): field("prefix", prefix)
    }
  }

  /// - Parameter messageID: The rejected command's. Written as text; invalid UTF-8 becomes U+FFFD.
  mutating func write(_ rejection: Rejection, to messageID: [UInt8]?) {
    if let id = rejection.id { field("id", id.bytes) }
    field("command", rejection.command)
    field("field", rejection.field)
    field("reason", rejection.reason)
    if let messageID { field("messageId", String(decoding: messageID, as: UTF8.self)) }
  }

  /// The fields that the client sent, without `payload`: instants normalised, defaults not added.
  mutating func write(_ definition: Definition) {
    field("id", definition.id.bytes)
    write(definition.timing)
    if let limit = definition.limit { field("limit", limit) }
    if let timezone = definition.timezone { field("timezone", timezone) }
    if let start = definition.startDate { field("startDate", start) }
    if let end = definition.endDate { field("endDate", end) }
    if let jitter = definition.jitter { field("jitter", jitter.text) }
    if let policy = definition.misfirePolicy { field("misfirePolicy", policy.rawValue) }
    if let window = definition.catchupWindow { field("catchupWindow", window.text) }
    if let ifExists = definition.ifExists { field("ifExists", ifExists.rawValue) }
    guard definition.hasExtras else { return }
    if let group = definition.group { field("group", group) }
    if let tags = definition.tags { field("tags", texts: tags) }
    if let description = definition.description { field("description", description) }
    if let target = definition.target { field("target", object: { $0.write(target) }) }
  }

  private mutating func write(_ target: Target) {
    if let exchange = target.exchange { field("exchange", exchange) }
    if let routingKey = target.routingKey { field("routingKey", routingKey) }
    if let detailType = target.detailType { field("detailType", detailType) }
    if let source = target.source { field("source", source) }
    if let body = target.body { field("body", body.rawValue) }
    if let contentType = target.contentType { field("contentType", contentType) }
    if let headers = target.headers {
      field("headers") { (json: inout JSONWriter) in
        for header in headers {
          switch header.value {
          case .text(let text): json.field(named: header.name) { $0.append(jsonString: text) }
          case .integer(let number): json.field(named: header.name) { $0.append(String(number)) }
          case .boolean(let value): json.field(named: header.name) { $0.append(String(value)) }
          }
        }
      }
    }
    if let expiration = target.expiration { field("expiration", expiration) }
    if let priority = target.priority { field("priority", Int64(priority)) }
  }
}

extension JSONWriter {
  mutating func write(_ timing: Timing) {
    switch timing {
    case .cron(let expression): field("cron", expression.text)
    case .every(let interval): field("every", interval.text)
    case .at(let instant): field("at", instant)
    case .duration(let delay): field("duration", delay.text)
    }
  }
}

extension Controlled {
  /// The definition that its event carries: a Triggered names the schedule only.
  var shownDefinition: Definition? {
    if case .triggered = effect { nil } else { definition }
  }
}
