import Glibc

/// What libFuzzer calls with each of its inputs. FUZZ_TARGET names the parser that gets it; run by `ops/fuzz`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  target(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}

private let target: @Sendable ([UInt8]) -> Void = {
  switch getenv("FUZZ_TARGET").map({ String(cString: $0) }) {
  case "Cron": fuzzCron
  case "Duration": fuzzDuration
  case "Envelope": fuzzEnvelope
  case "TZif": fuzzTZif
  case let name: preconditionFailure("FUZZ_TARGET names no target: \(name ?? "nothing")")
  }
}()
