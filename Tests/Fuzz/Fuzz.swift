import Glibc

/// The function that libFuzzer calls with each input. FUZZ_TARGET names the parser; run by `ops/fuzz`.
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
  case "PropertyBlock": fuzzPropertyBlock
  case "TZif": fuzzTZif
  case let name: preconditionFailure("FUZZ_TARGET names no target: \(name ?? "nothing")")
  }
}()
