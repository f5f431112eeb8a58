/// Forms that change one schedule or several.
extension Templates {
  static let pauseFields = """
    <label>For <input name="for" maxlength="128" placeholder="2h 30m"></label>
    <label>or until (UTC) <input name="until" maxlength="40" placeholder="2030-12-31 08:00"></label>
    <label class="wide">Reason <input name="reason" maxlength="1000" value="paused from the admin page"></label>
    """

  static let stopFields = """
    <label class="wide">Reason <input name="reason" maxlength="1000" value="stopped from the admin page"></label>
    """

  static let policyField = """
    <label>Slots of the pause <select name="policy"><option value="">default</option>
    {{#resumePolicies}}<option>{{value}}</option>{{/resumePolicies}}</select></label>
    """

  static let policyNote = """
    <p class="faint">By default, slots of the pause are skipped, and a one-shot that fell due is sent.</p>
    """

  static let selection = """
    {{#notice}}<p class="message note" role="status">{{notice}}</p>{{/notice}}
    <dl class="tiles">
    <div><dt>Live schedules</dt><dd>{{#isTooMany}}more than {{/isTooMany}}{{count}}</dd></div>
    <div><dt>Paused of these</dt><dd>{{paused}}</dd></div>
    </dl>
    <p><a href="{{listLink}}">Show them</a></p>
    {{#isTooMany}}<p class="message note">These are too many to change from a page. Use the command line, for example
    <code>pocketwatch pause --group</code> with <code>--max</code>.</p>{{/isTooMany}}
    {{#canChange}}<h2>Change all of them</h2>
    <p class="faint">Each gets the command and its outcome. If there are more by then, nothing is done.</p>
    <details id="pause"><summary>Pause</summary><form action="/selection/pause" method="post">
    \(selectionFields)
    \(pauseFields)
    \(countField)
    <button>Pause all</button></form>
    <p class="faint">Without an end they stay paused until they are resumed.</p></details>
    <details id="resume"><summary>Resume</summary><form action="/selection/resume" method="post">
    \(selectionFields)
    \(policyField)
    \(countField)
    <button>Resume all</button></form>
    \(policyNote)</details>
    <details id="stop"><summary>Stop</summary><form action="/selection/stop" method="post">
    \(selectionFields)
    \(stopFields)
    \(countField)
    <button class="bad">Stop all</button></form></details>{{/canChange}}

    """

  private static let selectionFields = """
    <input type="hidden" name="group" value="{{group}}"><input type="hidden" name="prefix" value="{{prefix}}">
    <input type="hidden" name="count" value="{{count}}">
    """

  private static let countField = """
    <label>Type {{count}} to confirm <input name="confirm" inputmode="numeric" pattern="{{count}}" autocomplete="off"
    required></label>
    """
}
