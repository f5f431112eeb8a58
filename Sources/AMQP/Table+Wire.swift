import Bytes
import CRabbitMQ

/// The encoding of a field table (AMQP 0-9-1, section 4.2.5.5, with RabbitMQ's letters for the types).
extension ByteWriter {
  mutating func append(_ table: Table) {
    let start = beginCounted()
    for field in table.fields { append(field) }
    endCounted(start)
  }

  mutating func append(_ field: Table.Field) {
    append(shortString: field.name)
    append(UInt8(field.value.kind.rawValue))
    append(field.value)
  }

  private mutating func append(_ value: FieldValue) {
    switch value {
    case .void: break
    case .boolean(let value): append(value ? 1 : 0)
    case .int8(let value): append(UInt8(bitPattern: value))
    case .uint8(let value): append(value)
    case .int16(let value): append(bigEndian: UInt16(bitPattern: value))
    case .uint16(let value): append(bigEndian: value)
    case .int32(let value): append(bigEndian: UInt32(bitPattern: value))
    case .uint32(let value): append(bigEndian: value)
    case .int64(let value): append(bigEndian: UInt64(bitPattern: value))
    case .uint64(let value), .timestamp(let value): append(bigEndian: value)
    case .float(let value): append(bigEndian: value.bitPattern)
    case .double(let value): append(bigEndian: value.bitPattern)
    case .decimal(let scale, let value):
      append(scale)
      append(bigEndian: value)
    case .longString(let value), .bytes(let value):
      append(bigEndian: UInt32(value.count))
      append(value)
    case .table(let table): append(table)
    case .array(let values):
      let start = beginCounted()
      for value in values {
        append(UInt8(value.kind.rawValue))
        append(value)
      }
      endCounted(start)
    }
  }
}
