import Mustache

/// Escapes text for HTML, scalar by scalar.
///
/// The escaping of swift-mustache compares `Character`s: a quote followed by a combining accent is another character
/// there, passes unescaped, and ends an attribute.
struct HTMLText: MustacheContentType {
  /// The name in templates: `{{% CONTENT_TYPE:POCKETWATCH_HTML}}`.
  static let name = "POCKETWATCH_HTML"

  func escapeText(_ text: String) -> String {
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
      case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
      case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
      case "\"": escaped.append(contentsOf: "&quot;".unicodeScalars)
      case "'": escaped.append(contentsOf: "&#39;".unicodeScalars)
      default: escaped.append(scalar)
      }
    }
    return String(escaped)
  }
}
