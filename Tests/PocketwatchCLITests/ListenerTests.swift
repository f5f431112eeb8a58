import Testing

@testable import PocketwatchCLI

@Suite("Listeners of a local port")
struct ListenerTests {
  private static let head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

  private func line(_ address: String, port: String = "2118", state: String = "0A", user: Int) -> String {
    "   0: \(address):\(port) 00000000:0000 \(state) 00000000:00000000 00:00000000 00000000 \(user)        0 1\n"
  }

  @Test(
    "loopback and wildcard addresses count, with their IPv6 forms",
    arguments: [
      ("0100007F", [7]), ("0203047F", [7]), ("00000000", [7]), ("0A00000A", []), ("7F000001", []),
      ("00000000000000000000000000000000", [7]), ("00000000000000000000000001000000", [7]),
      ("0000000000000000FFFF00000100007F", [7]), ("0000000000000000FFFF00000A00000A", []),
      ("000080FE00000000FF005450B6AD1DFE", []),
    ] as [(String, [UInt32])])
  func addresses(address: String, owners: [UInt32]) {
    #expect(Listener.owners(ofLoopbackPort: 8472, table: Self.head + line(address, user: 7)) == owners)
  }

  @Test("other ports and connections do not count; several listeners do")
  func others() {
    let table =
      Self.head + line("0100007F", port: "2119", user: 1) + line("0100007F", state: "01", user: 2)
      + line("00000000", user: 3) + line("0100007F", user: 4)
    #expect(Listener.owners(ofLoopbackPort: 8472, table: table) == [3, 4])
    #expect(Listener.owners(ofLoopbackPort: 8472, table: "").isEmpty)
  }
}
