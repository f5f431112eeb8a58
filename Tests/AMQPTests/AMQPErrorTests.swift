import AMQP
import Testing

struct AMQPErrorTests {
  @Test func describesFailureEndpointAndAdvice() {
    let error = AMQPError(
      .channelClosed(code: 404), "NOT_FOUND - no exchange 'events' in vhost '/'", endpoint: "amqp://u@h:5672/")
    #expect(
      "\(error)" == """
        the broker closed the channel with code 404 (amqp://u@h:5672/): NOT_FOUND - no exchange 'events' in vhost '/'. \
        Import the definitions, or check the names and the virtual host.
        """)
    #expect("\(AMQPError.topology("queue x is missing"))" == "the broker is not set up as required: queue x is missing")
  }

  @Test(
    arguments: [
      (.topology, .seconds(5)), (.channelClosed(code: 404), .seconds(1)), (.consumerCancelled, .seconds(1)),
      (.connectionClosed(code: 320), .zero), (.connectionClosed(code: 541), .seconds(1)), (.refusedLogin, .seconds(3)),
      (.unreachable, .zero), (.connectionLost, .zero), (.timeout, .zero),
    ] as [(AMQPError.Kind, Duration)])
  func pacesRetries(kind: AMQPError.Kind, floor: Duration) {
    #expect(AMQPError(kind, "").retryFloor == floor)
  }

  @Test func onlyLocalErrorsAreFinal() {
    #expect(!AMQPError(.invalidConfiguration, "").isRetriable)
    #expect(!AMQPError(.invalidMessage, "").isRetriable)
    #expect(AMQPError(.topology, "").isRetriable)
    #expect(AMQPError(.tls, "").isRetriable)
  }
}
