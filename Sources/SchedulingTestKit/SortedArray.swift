/// Values in ascending order, each once: the index of the in-memory store.
struct SortedArray<Element: Comparable> {
  private(set) var elements: [Element] = []

  mutating func insert(_ element: Element) {
    let index = firstIndex { $0 >= element }
    guard index == elements.endIndex || elements[index] != element else { return }
    elements.insert(element, at: index)
  }

  mutating func remove(_ element: Element) {
    let index = firstIndex { $0 >= element }
    guard index < elements.endIndex, elements[index] == element else { return }
    elements.remove(at: index)
  }

  /// Those after `lower`, or all of them when it is nil.
  func elements(after lower: Element?) -> ArraySlice<Element> {
    guard let lower else { return elements[...] }
    return elements[firstIndex { $0 > lower }...]
  }

  /// This one and those after it.
  func elements(from first: Element) -> ArraySlice<Element> {
    elements[firstIndex { $0 >= first }...]
  }

  /// The first index at which a condition holds that holds for all later elements, too.
  private func firstIndex(where condition: (Element) -> Bool) -> Int {
    var low = elements.startIndex
    var high = elements.endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if condition(elements[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
