import HTTPTypes
import Hummingbird

/// How a browser gets a session: `pocketwatch page` asks for a link with the token, and prints it.
extension AdminRoutes {
  private struct Link: Encodable {
    var path: String
    var expiresInSeconds: Int64
  }

  func addAccess(to router: Router<BasicRequestContext>) {
    router.post("/api/v1/page-link") { _, _ in
      Response.json(
        Link(
          path: "/enter?code=\(checks.access.makeCode())",
          expiresInSeconds: Access.codeLifetime.components.seconds))
    }
    router.get("/enter") { request, _ in
      // Whatever looks at a link beforehand, by HEAD, does not use it up.
      guard request.method == .get, let session = request.value("code").flatMap(checks.access.session) else {
        throw HTTPError(
          .forbidden,
          message: "This link has been used, or is older than 10 minutes. `pocketwatch page` prints another.")
      }
      // A page, not a redirect: where a link of another site led here, a redirect would go without the new cookie.
      var response = pages.response("entered", EnteredPage())
      response.headers[.setCookie] = checks.cookie(session, for: request)
      return response
    }
  }
}

/// The page of a link that worked; it leads on to the overview.
struct EnteredPage {
  var title = "Signed in"
}
