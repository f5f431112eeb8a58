import Recurrence
import Scheduling

extension Timing {
  /// In plain English, such as `At 09:00 every day`.
  var description: String {
    switch self {
    case .cron(let expression): expression.explanation
    case .every(let interval): "Every \(interval.text)"
    case .at: "Once"
    case .duration(let delay): "Once, \(delay.text) after its Start"
    }
  }
}
