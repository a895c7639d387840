import Dispatch
import Synchronization

/// How many threads the arithmetic may use.
package enum Parallelism {
  private static let stored = Atomic<Int>(0)

  /// The number of threads; the machine's cores unless set.
  ///
  /// No result depends on it: work is cut into pieces by its shape alone.
  package static var threads: Int {
    get {
      let value = stored.load(ordering: .relaxed)
      return value > 0 ? value : hardwareThreads
    }
    set {
      precondition(newValue > 0, "at least one thread computes")
      stored.store(newValue, ordering: .relaxed)
    }
  }

  /// The number of cores that this process may run on.
  package static var hardwareThreads: Int { max(1, coreCount()) }
}

/// Whether a parallel region is running; the threads are then taken.
private let isRegionRunning = Atomic<Bool>(false)

/// Calls `body` once for each index below `count`, on up to ``Parallelism/threads`` threads.
///
/// One region at a time is parallel. A region that begins while another runs, inside it or beside
/// it, stays on the thread that began it: whoever is parallel over layers computes each layer on
/// one thread, and a single large layer gets all of them, from the same code.
@usableFromInline
package func concurrently(count: Int, _ body: @Sendable (Int) -> Void) {
  let workers = min(count, Parallelism.threads)
  guard workers > 1, !isRegionRunning.exchange(true, ordering: .relaxed) else {
    for index in 0..<count { body(index) }
    return
  }
  defer { isRegionRunning.store(false, ordering: .relaxed) }
  let next = Atomic<Int>(0)
  DispatchQueue.concurrentPerform(iterations: workers) { _ in
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      body(index)
    }
  }
}

/// Computes `count` values in parallel; slot `i` of the result is `transform(i)`.
///
/// The result does not depend on scheduling, because no two calls share a slot.
@inlinable
package func concurrentMap<Value: Sendable>(
  count: Int,
  _ transform: @Sendable (Int) -> Value
) -> [Value] {
  unsafe [Value](unsafeUninitializedCapacity: count) { buffer, initializedCount in
    // SAFETY: each iteration initializes the one slot of its own index, and
    // `concurrently` returns only after every slot is initialized.
    nonisolated(unsafe) let slots = unsafe buffer
    concurrently(count: count) { index in
      unsafe slots.initializeElement(at: index, to: transform(index))
    }
    initializedCount = count
  }
}

/// Hands out disjoint pieces of `array` to `body`, in parallel; the last piece may be shorter.
///
/// - Parameters:
///   - array: What the pieces are cut from.
///   - size: The number of elements in a piece.
///   - body: Receives the number of the piece and the piece; piece `i` starts at `i * size`.
@inlinable
package func concurrentChunks<Element: BitwiseCopyable & Sendable>(
  of array: inout [Element],
  size: Int,
  _ body: @Sendable (Int, inout MutableSpan<Element>) -> Void
) {
  precondition(size > 0, "a piece has elements")
  let total = array.count
  unsafe array.withUnsafeMutableBufferPointer { buffer in
    // SAFETY: the pieces of different indices do not overlap and lie within the buffer.
    nonisolated(unsafe) let base = unsafe buffer
    concurrently(count: (total + size - 1) / size) { index in
      let range = index * size..<min(total, (index + 1) * size)
      let piece = unsafe UnsafeMutableBufferPointer(rebasing: base[range])
      var span = unsafe MutableSpan(_unsafeElements: piece)
      body(index, &span)
    }
  }
}

/// Like ``concurrentChunks(of:size:_:)`` for two arrays that are cut into equally many pieces.
@inlinable
package func concurrentChunks<
  First: BitwiseCopyable & Sendable,
  Second: BitwiseCopyable & Sendable
>(
  of first: inout [First],
  size firstSize: Int,
  and second: inout [Second],
  size secondSize: Int,
  _ body: @Sendable (Int, inout MutableSpan<First>, inout MutableSpan<Second>) -> Void
) {
  precondition(firstSize > 0 && secondSize > 0, "a piece has elements")
  let total = first.count
  let other = second.count
  let count = (total + firstSize - 1) / firstSize
  precondition(count == (other + secondSize - 1) / secondSize, "equally many pieces")
  unsafe first.withUnsafeMutableBufferPointer { firstBuffer in
    unsafe second.withUnsafeMutableBufferPointer { secondBuffer in
      // SAFETY: the pieces of different indices do not overlap and lie within their buffers.
      nonisolated(unsafe) let firstBase = unsafe firstBuffer
      nonisolated(unsafe) let secondBase = unsafe secondBuffer
      concurrently(count: count) { index in
        let range = index * firstSize..<min(total, (index + 1) * firstSize)
        let otherRange = index * secondSize..<min(other, (index + 1) * secondSize)
        var piece = unsafe MutableSpan(
          _unsafeElements: UnsafeMutableBufferPointer(rebasing: firstBase[range])
        )
        var otherPiece = unsafe MutableSpan(
          _unsafeElements: UnsafeMutableBufferPointer(rebasing: secondBase[otherRange])
        )
        body(index, &piece, &otherPiece)
      }
    }
  }
}

/// Like ``concurrentChunks(of:size:_:)``, with something of its own that each piece may change, such
/// as its scratch memory.
///
/// - Parameters:
///   - array: What the pieces are cut from.
///   - range: The part of the array that is cut; piece `i` starts at `range.lowerBound + i * size`.
///   - size: The number of elements in a piece.
///   - states: One for each piece; more are left alone.
///   - body: Receives the number of the piece, the piece, and its state.
@inlinable
package func concurrentChunks<Element: BitwiseCopyable & Sendable, State: Sendable>(
  of array: inout [Element],
  in range: Range<Int>,
  size: Int,
  with states: inout [State],
  _ body: @Sendable (Int, inout MutableSpan<Element>, inout State) -> Void
) {
  precondition(size > 0, "a piece has elements")
  precondition(range.lowerBound >= 0 && range.upperBound <= array.count, "the range lies within")
  let count = (range.count + size - 1) / size
  precondition(count <= states.count, "one state for each piece")
  unsafe array.withUnsafeMutableBufferPointer { buffer in
    unsafe states.withUnsafeMutableBufferPointer { stateBuffer in
      // SAFETY: the pieces and states of different indices do not overlap and lie within the
      // buffers.
      nonisolated(unsafe) let base = unsafe buffer
      nonisolated(unsafe) let stateBase = unsafe stateBuffer
      concurrently(count: count) { index in
        let start = range.lowerBound + index * size
        let part = start..<min(range.upperBound, start + size)
        let piece = unsafe UnsafeMutableBufferPointer(rebasing: base[part])
        var span = unsafe MutableSpan(_unsafeElements: piece)
        unsafe body(index, &span, &stateBase[index])
      }
    }
  }
}

/// Changes each of some elements, in parallel.
///
/// - Parameters:
///   - states: The elements.
///   - count: How many of them, from the first on.
///   - body: Receives the number of an element and the element.
@inlinable
package func concurrentUpdates<State: Sendable>(
  of states: inout [State],
  count: Int,
  _ body: @Sendable (Int, inout State) -> Void
) {
  precondition(count <= states.count, "no more than there are")
  unsafe states.withUnsafeMutableBufferPointer { buffer in
    // SAFETY: each index has one element of its own, within the buffer.
    nonisolated(unsafe) let base = unsafe buffer
    concurrently(count: count) { unsafe body($0, &base[$0]) }
  }
}
