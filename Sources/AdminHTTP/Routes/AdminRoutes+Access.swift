import HTTPTypes
import Hummingbird

/// Browser sessions: `pocketwatch page` requests a one-time link with the token and prints it.
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
      // A link preview by HEAD must not consume the link.
      guard request.method == .get, let session = request.value("code").flatMap(checks.access.session) else {
        throw HTTPError(
          .forbidden,
          message: "This link was used already, or is older than 10 minutes. Run `pocketwatch page` for another.")
      }
      // A page, not a redirect: after a link from another site, a redirect would not carry the SameSite cookie.
      var response = pages.response("entered", EnteredPage())
      response.headers[.setCookie] = checks.cookie(session, for: request)
      return response
    }
  }
}

/// Shown after sign-in; continues to the overview.
struct EnteredPage {
  var title = "Signed in"
}
