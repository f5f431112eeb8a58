import AMQP
import Testing

struct BrokerURLTests {
  struct Accepted: CustomTestStringConvertible {
    var text: String
    var user = "guest"
    var password = "guest"
    var host = "h"
    var port: UInt16 = 5672
    var virtualHost = "/"
    var usesTLS = false
    var testDescription: String { text }
  }

  @Test(arguments: [
    Accepted(text: "amqp://h"),
    Accepted(text: "amqp://h/"),
    Accepted(text: "amqp://h/%2F"),
    Accepted(text: "amqp://h/%2f"),
    Accepted(text: "AMQP://h"),
    Accepted(text: "amqps://h", port: 5671, usesTLS: true),
    Accepted(text: "aMqPs://h:1/v", port: 1, virtualHost: "v", usesTLS: true),
    Accepted(text: "amqp://u:p@h:65535/v", user: "u", password: "p", port: 65535, virtualHost: "v"),
    Accepted(text: "amqp://u@h", user: "u", password: ""),
    Accepted(text: "amqp://:@h", user: "", password: ""),
    Accepted(text: "amqp://u:a:b@h", user: "u", password: "a:b"),
    Accepted(text: "amqp://u:a@b@h", user: "u", password: "a@b"),
    Accepted(text: "amqp://%75ser%40x:%2F%3F%23%25@h", user: "user@x", password: "/?#%"),
    Accepted(text: "amqp://h/caf%C3%A9%2Fx", virtualHost: "café/x"),
    Accepted(text: "amqp://rabbit.example.com:5673", host: "rabbit.example.com", port: 5673),
    Accepted(text: "amqp://[::1]", host: "::1"),
    Accepted(text: "amqp://[fe80::1]:1234/v", host: "fe80::1", port: 1234, virtualHost: "v"),
  ])
  func reads(_ expected: Accepted) throws {
    let url = try BrokerURL(expected.text)
    #expect(url.user == expected.user)
    #expect(url.password == expected.password)
    #expect(url.host == expected.host)
    #expect(url.port == expected.port)
    #expect(url.virtualHost == expected.virtualHost)
    #expect(url.usesTLS == expected.usesTLS)
  }

  @Test(arguments: [
    ("", "begin with amqp"), ("h", "begin with amqp"), ("http://h", "begin with amqp"), ("amqp:/h", "begin with amqp"),
    ("amqp://", "host is missing"), ("amqp:///v", "host is missing"), ("amqp://u:p@", "host is missing"),
    ("amqp://:5672", "host is missing"), ("amqp://[]", "host is missing"), ("amqp://[::1", "no closing"),
    ("amqp://[::1]x", "port"), ("amqp://h:", "port"), ("amqp://h:0", "port"), ("amqp://h:65536", "port"),
    ("amqp://h:+1", "port"), ("amqp://h:x", "port"), ("amqp://h%20", "not allowed in host"),
    ("amqp://a b", "not allowed in host"),
    ("amqp://h/v?heartbeat=10", "the query parameter \"heartbeat\" is not supported"),
    ("amqp://h?a=1&b&c=d=e", "the query parameter \"a\", \"c\" is"), ("amqp://h?x", "a query (\"?…\") is not"),
    ("amqp://h/v#f", "a fragment (\"#…\") is not supported"), ("amqp://h/a/b", "%2F"), ("amqp://h//", "%2F"),
    ("amqp://h/%2", "two hex digits"), ("amqp://h/%zz", "two hex digits"), ("amqp://u%:p@h", "user name has a \"%\""),
    ("amqp://u:%@h", "password has a \"%\""), ("amqp://h/%00", "not valid UTF-8"), ("amqp://u%FF@h", "not valid UTF-8"),
    ("amqp://h/" + String(repeating: "v", count: 256), "over 255 bytes"),
  ])
  func refuses(_ text: String, reason: String) throws {
    let error = try #require(throws: AMQPError.self) { try BrokerURL(text) }
    #expect(error.kind == .invalidConfiguration)
    #expect(error.text.contains(reason), "\(error)")
  }

  /// A password that is not percent-encoded splits the URL in the wrong places. Errors must not echo any part of it.
  @Test(arguments: ["s3cr3t/x", "s3cr3t?x", "s3cr3t#x", "x/s3cr3t", "x?s3cr3t", "x#s3cr3t", "s3cr3t%", "%zs3cr3t"])
  func neverEchoesThePassword(_ password: String) throws {
    let error = try #require(throws: AMQPError.self) { try BrokerURL("amqp://user:\(password)@host/v") }
    #expect(!"\(error)".contains("s3cr3t"))
  }

  /// Some clients accept the password as a parameter.
  @Test(arguments: [
    "?password=s3cr3t", "/v?a=b&password=s3cr3t&c=d", "?password=x=s3cr3t", "?s3cr3t", "?a=b&s3cr3t", "#s3cr3t",
    "#x=s3cr3t", "?a=b#s3cr3t=c", "?a=?s3cr3t", "?=s3cr3t",
  ])
  func neverEchoesTheValueOfAParameter(_ tail: String) throws {
    let error = try #require(throws: AMQPError.self) { try BrokerURL("amqp://user@host\(tail)") }
    #expect(error.text.contains("not supported"), "\(error)")
    #expect(!"\(error)".contains("s3cr3t"))
  }

  @Test func descriptionsOmitThePassword() throws {
    let url = try BrokerURL("amqps://us%2Fer:s3cr3t@[::1]:5671/a%2Fb")
    #expect("\(url)" == "amqps://us%2Fer@[::1]:5671/a%2Fb")
    var dumped = ""
    dump(ConnectionOptions(brokers: [url], connectionName: "n"), to: &dumped)
    #expect(dumped.contains("us%2Fer@"))
    #expect(!(dumped + "\(url)" + String(reflecting: [url])).contains("s3cr3t"))
  }

  @Test func readsAList() throws {
    let urls = try BrokerURL.list(" amqp://a  amqp://b:1\t\namqps://c\n")
    #expect(urls.map(\.host) == ["a", "b", "c"])
    #expect(throws: AMQPError.self) { try BrokerURL.list(" \n") }
    #expect(throws: AMQPError.self) { try BrokerURL.list("amqp://a nonsense") }
    // A password with an unencoded space.
    for text in ["amqp://u:a b@c", "amqp://u:1 2@c:5672/v", "amqp://u:a b@c amqp://d"] {
      #expect("\(text)") {
        try BrokerURL.list(text)
      } throws: { ($0 as? AMQPError)?.text.contains("%20") == true }
    }
  }

  /// Any bytes give a result or an error, never a trap.
  @Test func acceptsOrRejectsRandomBytes() {
    var generator = SeededGenerator(seed: 7)
    let alphabet = Array("amqps://@:%?#[]/ 0aé\u{0}".utf8)
    for _ in 0..<20_000 {
      let tail = (0..<Int.random(in: 0...20, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! }
      _ = try? BrokerURL("amqp://" + String(decoding: tail, as: UTF8.self))
      _ = try? BrokerURL(String(decoding: tail, as: UTF8.self))
    }
  }
}
