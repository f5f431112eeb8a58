import HTTPTypes
import Hummingbird
import Logging

/// Wraps every request, also one without a route: checks access, turns errors into responses, and adds the security
/// headers.
struct AdminMiddleware<Context: RequestContext>: RouterMiddleware {
  let checks: RequestChecks
  let pages: Pages

  @concurrent
  func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    var response = await answer(request, context, next)
    for (name, value) in Self.headers where response.headers.value(name) == nil { response.headers.set(name, value) }
    return response
  }

  private func answer(
    _ request: Request, _ context: Context, _ next: @concurrent (Request, Context) async throws -> Response
  ) async -> Response {
    do {
      if let refusal = checks.refusal(of: request) { throw refusal }
      return try await next(request, context)
    } catch let refusal as RequestChecks.Refusal {
      var response = failure(refusal.status, refusal.message, of: request)
      if let challenge = refusal.challenge { response.headers[.wwwAuthenticate] = challenge }
      return response
    } catch let error as AdminError {
      return failure(error.status, error.message, of: request)
    } catch let error as HTTPError {
      return failure(error.status, error.body ?? error.status.reasonPhrase, of: request)
    } catch {
      context.logger.error("HTTP request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
      return failure(.internalServerError, "internal error; see the log of the service", of: request)
    }
  }

  private func failure(_ status: HTTPResponse.Status, _ message: String, of request: Request) -> Response {
    let isForPrograms = request.uri.path.hasPrefix("/api/") || !(request.headers[.accept] ?? "").contains("text/html")
    let response =
      isForPrograms
      ? Response.json(Failure(error: message)) : pages.response("error", ErrorPage(code: status.code, message: message))
    var answer = response
    answer.status = status
    return answer
  }

  private struct Failure: Encodable {
    var error: String
  }

  private static var headers: [(String, String)] {
    [
      (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
          + "base-uri 'none'; frame-ancestors 'none'"
      ),
      ("X-Content-Type-Options", "nosniff"),
      ("X-Frame-Options", "DENY"),
      // With `no-referrer` a browser also hides the origin of our own forms.
      ("Referrer-Policy", "same-origin"),
      ("Cross-Origin-Resource-Policy", "same-origin"),
      ("Cross-Origin-Opener-Policy", "same-origin"),
      ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
      ("Cache-Control", "no-store"),
    ]
  }
}

extension AdminError {
  var status: HTTPResponse.Status {
    switch kind {
    case .unavailable: .serviceUnavailable
    case .conflict: .conflict
    case .notFound: .notFound
    }
  }
}
