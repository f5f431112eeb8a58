import Hummingbird
import Scheduling

/// All live schedules of a group, or whose ids have a prefix: their number, and commands on all of them.
extension AdminRoutes {
  /// More are left to the command line.
  private static let largestSelection = 10_000
  private static let page = 500

  func addSelection(to router: Router<BasicRequestContext>) {
    router.get("/selection") { request, _ in
      let selector = try selector(request.value)
      return pages.response(
        "selection",
        SelectionPage(
          selector, try await count(selector), allowsChanges: settings.allowsChanges,
          sent: request.value("sent").flatMap(SentCommand.init)))
    }
    add(.stop, to: router) { form in .stop(reason: try form.stopReason()) }
    add(.pause, to: router) { form in
      .pause(end: try form.pauseEnd(after: source.status.now), reason: try form.pauseReason(), time: nil)
    }
    add(.resume, to: router) { form in .resume(misfirePolicy: try form.misfirePolicy(), reason: nil) }
  }

  /// If more match than were confirmed, the scheduler does nothing.
  private func add(
    _ command: SentCommand, to router: Router<BasicRequestContext>,
    _ action: @escaping @Sendable (ChangeForm) throws -> BatchCommand.Action
  ) {
    router.post("/selection/\(command)") { request, _ in
      let form = try await form(of: request)
      let selector = try selector { $0 == "group" ? form.group : $0 == "prefix" ? form.prefix : nil }
      let count = try form.confirmedCount(upTo: Self.largestSelection)
      try await source.publish(BatchCommand(selector: selector, action: try action(form), maximum: count))
      return Response.redirect(SelectionPage.link(to: selector) + "&sent=\(command)")
    }
  }

  private func selector(_ value: (String) -> String?) throws -> BatchCommand.Selector {
    guard let selector = try listQuery(value).selector else {
      throw HTTPError(.badRequest, message: "group, prefix: exactly one of them is needed")
    }
    return selector
  }

  private func count(_ selector: BatchCommand.Selector) async throws -> SelectionPage.Count {
    var count = SelectionPage.Count()
    var position: ListPosition?
    repeat {
      let list = try await source.list(selector.search, after: position, limit: Self.page)
      count.live += list.schedules.count
      count.paused += list.schedules.count(where: \.isPaused)
      position = list.next
    } while position != nil && count.live <= Self.largestSelection
    if count.live > Self.largestSelection {
      (count.live, count.isAtLeast) = (Self.largestSelection, true)
    }
    return count
  }
}
