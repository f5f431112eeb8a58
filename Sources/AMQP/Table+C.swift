import Bytes
import CRabbitMQ

extension Table {
  /// Received tables and arrays that are nested deeper are read as void.
  static let maximumDepth = 32

  /// The first name, including nested ones, over 255 bytes; nil when there is none.
  var overlongName: String? {
    for field in fields {
      if field.name.utf8.count > 255 { return field.name }
      if let name = field.value.overlongName { return name }
    }
    return nil
  }

  init(_ table: amqp_table_t, depth: Int = 0) {
    fields = UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries)).map {
      Field(name: $0.key.string, value: FieldValue($0.value, depth: depth))
    }
  }

  /// The library's struct for this table, decoded from our encoding.
  func encoded(in arena: Arena) -> amqp_table_t {
    var bytes = ByteWriter(capacity: 256)
    bytes.append(self)
    return arena.table(bytes.array)
  }
}

extension FieldValue {
  var overlongName: String? {
    switch self {
    case .table(let table): table.overlongName
    case .array(let values): values.lazy.compactMap(\.overlongName).first
    default: nil
    }
  }

  init(_ field: amqp_field_value_t, depth: Int) {
    let value = field.value
    switch amqp_field_value_kind_t(UInt32(field.kind)) {
    case AMQP_FIELD_KIND_BOOLEAN: self = .boolean(value.boolean != 0)
    case AMQP_FIELD_KIND_I8: self = .int8(value.i8)
    case AMQP_FIELD_KIND_U8: self = .uint8(value.u8)
    case AMQP_FIELD_KIND_I16: self = .int16(value.i16)
    case AMQP_FIELD_KIND_U16: self = .uint16(value.u16)
    case AMQP_FIELD_KIND_I32: self = .int32(value.i32)
    case AMQP_FIELD_KIND_U32: self = .uint32(value.u32)
    case AMQP_FIELD_KIND_I64: self = .int64(value.i64)
    case AMQP_FIELD_KIND_U64: self = .uint64(value.u64)
    case AMQP_FIELD_KIND_F32: self = .float(value.f32)
    case AMQP_FIELD_KIND_F64: self = .double(value.f64)
    case AMQP_FIELD_KIND_DECIMAL: self = .decimal(scale: value.decimal.decimals, value: value.decimal.value)
    case AMQP_FIELD_KIND_UTF8: self = .longString(value.bytes.array)
    case AMQP_FIELD_KIND_BYTES: self = .bytes(value.bytes.array)
    case AMQP_FIELD_KIND_TIMESTAMP: self = .timestamp(value.u64)
    case AMQP_FIELD_KIND_TABLE where depth < Table.maximumDepth: self = .table(Table(value.table, depth: depth + 1))
    case AMQP_FIELD_KIND_ARRAY where depth < Table.maximumDepth:
      let values = UnsafeBufferPointer(start: value.array.entries, count: Int(value.array.num_entries))
      self = .array(values.map { FieldValue($0, depth: depth + 1) })
    default: self = .void
    }
  }

  /// The letter of the type on the wire.
  var kind: amqp_field_value_kind_t {
    switch self {
    case .boolean: AMQP_FIELD_KIND_BOOLEAN
    case .int8: AMQP_FIELD_KIND_I8
    case .uint8: AMQP_FIELD_KIND_U8
    case .int16: AMQP_FIELD_KIND_I16
    case .uint16: AMQP_FIELD_KIND_U16
    case .int32: AMQP_FIELD_KIND_I32
    case .uint32: AMQP_FIELD_KIND_U32
    case .int64: AMQP_FIELD_KIND_I64
    case .uint64: AMQP_FIELD_KIND_U64
    case .float: AMQP_FIELD_KIND_F32
    case .double: AMQP_FIELD_KIND_F64
    case .decimal: AMQP_FIELD_KIND_DECIMAL
    case .longString: AMQP_FIELD_KIND_UTF8
    case .bytes: AMQP_FIELD_KIND_BYTES
    case .timestamp: AMQP_FIELD_KIND_TIMESTAMP
    case .table: AMQP_FIELD_KIND_TABLE
    case .array: AMQP_FIELD_KIND_ARRAY
    case .void: AMQP_FIELD_KIND_VOID
    }
  }
}
