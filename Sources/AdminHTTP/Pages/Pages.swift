import Hummingbird
import Mustache

/// The parsed templates.
struct Pages: Sendable {
  private let library: MustacheLibrary

  /// Throws when a template does not parse; a test covers that.
  init() throws {
    MustacheContentTypes.register(HTMLText(), named: HTMLText.name)
    var templates: [String: MustacheTemplate] = [:]
    for (name, text) in Templates.pages {
      // No partials: they would not inherit the content type, and so not the escaping.
      templates[name] = try MustacheTemplate(string: "{{% CONTENT_TYPE:\(HTMLText.name)}}\n" + text)
    }
    library = MustacheLibrary(templates: templates)
  }

  func html(_ name: String, _ page: Any) -> String {
    library.render(page, withTemplate: name) ?? ""
  }

  func response(_ name: String, _ page: Any) -> Response {
    .text(html(name, page), type: "text/html; charset=utf-8")
  }
}

/// The error page.
struct ErrorPage {
  // Mustache reads stored properties only.
  var title: String
  var message: String

  init(code: Int, message: String) {
    title = code == 401 ? "Sign in" : "Error \(code)"
    self.message = message
  }
}
