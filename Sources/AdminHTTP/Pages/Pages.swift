import Hummingbird
import Mustache

/// The pages, put together from their templates once.
struct Pages: Sendable {
  private let library: MustacheLibrary

  /// Throws when a template cannot be read, which a test finds.
  init() throws {
    MustacheContentTypes.register(HTMLText(), named: HTMLText.name)
    var templates: [String: MustacheTemplate] = [:]
    for (name, text) in Templates.pages {
      // No partials: what they inherit of the escaping is not ours to say.
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

/// The page of an error.
struct ErrorPage {
  // Templates see what is stored, not what is computed.
  var title: String
  var words: String

  init(code: Int, words: String) {
    title = code == 401 ? "Sign in" : "Error \(code)"
    self.words = words
  }
}
