extension AMQPError: CustomStringConvertible {
  /// The failure, the endpoint, the broker's message, and advice.
  package var description: String {
    var sentence = summary
    if let endpoint { sentence += " (\(endpoint))" }
    if !text.isEmpty { sentence += ": \(text)" }
    if let advice { sentence += (sentence.last == "." ? " " : ". ") + advice }
    return sentence
  }

  private var summary: String {
    switch kind {
    case .unreachable: "cannot reach the broker"
    case .refusedLogin: "the broker refused the login"
    case .tls: "cannot establish a TLS connection to the broker"
    case .timeout: "the broker did not reply in time"
    case .connectionLost: "the connection to the broker was lost"
    case .connectionClosed(let code): "the broker closed the connection with code \(code)"
    case .channelClosed(let code): "the broker closed the channel with code \(code)"
    case .consumerCancelled: "the broker cancelled the consumer"
    case .protocolViolation: "the broker violated the AMQP protocol"
    case .invalidConfiguration: "the broker settings are invalid"
    case .invalidMessage: "the message cannot be sent"
    case .topology: "the broker is not set up as required"
    }
  }

  private var advice: String? {
    switch kind {
    case .unreachable: "Check host and port, and that the broker is running."
    case .refusedLogin: "Check user, password and virtual host, and that the user may access that virtual host."
    case .tls:
      "Check the CA file, that the broker's certificate is valid for this DNS name, and that the port expects TLS (usually"
        + " 5671; 5672 is for amqp://)."
    case .channelClosed(ReplyCode.accessRefused): "Grant the user this permission."
    case .channelClosed(ReplyCode.notFound): "Import the definitions, or check the names and the virtual host."
    case .channelClosed(ReplyCode.resourceLocked): "Another client holds it exclusively."
    case .channelClosed(ReplyCode.preconditionFailed) where text.contains("inequivalent arg"):
      "It was declared with different arguments: delete it, and import the definitions."
    default: nil
    }
  }
}
