import Scheduling

/// What a schedule publishes instead of its tick, as in its Schedule Start.
struct APITarget: Encodable {
  var exchange: String?
  var routingKey: String?
  var detailType: String?
  var source: String?
  var body: String?
  var contentType: String?
  var headers: [String: HeaderValue]?
  var expiration: String?
  var priority: UInt8?

  struct HeaderValue: Encodable {
    var value: Target.HeaderValue

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch value {
      case .text(let text): try container.encode(text)
      case .integer(let number): try container.encode(number)
      case .boolean(let isSo): try container.encode(isSo)
      }
    }
  }

  init(_ target: Target) {
    exchange = target.exchange
    routingKey = target.routingKey
    detailType = target.detailType
    source = target.source
    body = target.body?.rawValue
    contentType = target.contentType
    headers = target.headers.map { headers in
      Dictionary(headers.map { ($0.name, HeaderValue(value: $0.value)) }) { $1 }
    }
    expiration = target.expiration
    priority = target.priority
  }
}
