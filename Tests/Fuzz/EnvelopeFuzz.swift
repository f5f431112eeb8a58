import EventBus
import Recurrence
import Scheduling

/// Any bytes as the body of a command: its outcome is always a readable event, and an accepted Start comes back in it
/// unchanged.
func fuzzEnvelope(_ bytes: [UInt8]) {
  for name in EventName.requests {
    switch decode(bytes, as: name.rawValue) {
    case .command(.start(let start), let key):
      precondition(key != nil && (1...200).contains(start.definition.id.bytes.count))
      comesBack(start)
    case .command(.stop(let stop), let key):
      precondition(key != nil && (1...200).contains(stop.id.bytes.count) && stop.reason.utf8.count <= 1024)
      _ = encode(
        .stopped(Stopped(definition: nil, id: stop.id, generation: 1, counter: 0, reason: stop.reason)))
    case .command(.update(let update), let key):
      precondition(key != nil && (1...200).contains(update.id.bytes.count))
      isWritten(update)
    case .command(let command, let key):
      precondition(key != nil && (1...200).contains(command.id.bytes.count) && command.name == name)
    case .batch(let batch, _):
      precondition((1...200).contains(batch.selector.bytes.count) && batch.name == name)
      let maximum = BatchCommand.largestMaximum
      precondition((1...maximum).contains(batch.maximum))
      _ = encode(.batchDone(BatchDone(command: name, selector: batch.selector, counts: BatchCounts())))
    case .question(let question, let address):
      precondition(question.name == name && address.replyTo == [2])
    case .malformed(let rejection):
      precondition(!rejection.field.isEmpty && !rejection.reason.isEmpty)
      _ = encode(.rejected(rejection))
    case .ownEvent, .redelivered: break
    }
  }
}

private let decoder = CommandDecoder(zones: { $0 == "Europe/Rome" ? .utc : nil }, secret: SipHash.Key(1, 2))
private let encoder = EventEncoder(stack: "fuzz", random: { 7 })

private func decode(_ body: [UInt8], as name: String) -> ReceivedCommand.Content {
  decoder.decode(IncomingMessage(routingKey: Array(name.utf8), messageID: [1], replyTo: [2], body: body)).content
}

/// Writes an event and reads it as strictly as a command, except for duplicate keys inside a payload.
private func encode(_ event: OutgoingEvent) -> [UInt8] {
  let body = encoder.encode(event, origin: Origin(), at: SendingTime(Instant(milliseconds: 0))).body
  do {
    var reader = try JSONReader(body[...])
    _ = try reader.readValue(uniqueKeys: false)
    try reader.readEnd()
  } catch {
    preconditionFailure("\(error): \(String(decoding: body, as: UTF8.self))")
  }
  return body
}

/// Updated holds the definition with the changes.
private func isWritten(_ update: Command.Update) {
  let slot = Instant(milliseconds: 1)
  let before = Definition(id: update.id, timing: .at(slot))
  let definition = update.change.applied(to: before)
  let schedule = Schedule(
    definition: definition, origin: Origin(), key: Schedule.Key(generation: 1, beginningAt: slot),
    progress: Schedule.Progress(state: .live(Schedule.NextTick(slot: slot, due: slot))))
  let effect = Controlled.Effect.updated(changed: definition.fieldsChanged(since: before), ignored: update.ignored)
  _ = encode(.controlled(Controlled(effect, schedule)))
}

/// Started holds the definition, so under the name of a Start it is that Start once more, with fields to ignore.
private func comesBack(_ start: Command.Start) {
  let body = encode(
    .started(
      Started(
        definition: start.definition, generation: 1, counter: 0, nextSlot: nil, effect: .created,
        ignored: start.ignored)))
  guard let name = body.firstRange(of: Array("Schedule Started".utf8)) else { preconditionFailure("no name") }
  let again = Array(body[..<name.lowerBound]) + Array("Schedule Start".utf8) + body[name.upperBound...]
  guard case .command(.start(let same), _) = decode(again, as: "Schedule Start") else {
    preconditionFailure("refused what it wrote: \(String(decoding: again, as: UTF8.self))")
  }
  precondition(same.definition == start.definition, "\(same.definition) is not \(start.definition)")
}
