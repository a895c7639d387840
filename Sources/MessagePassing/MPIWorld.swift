#if MPI
  internal import CMPI

  /// All processes that were started together by `mpirun` or the cluster's own command.
  struct MPIWorld: RankGroup {
    let rank: Int
    let count: Int
    let localCount: Int

    /// Joins the others; once in a process, on its main thread.
    init() {
      surgeon_mpi_begin()
      rank = Int(surgeon_mpi_rank())
      count = Int(surgeon_mpi_count())
      localCount = Int(surgeon_mpi_local_count())
    }

    func allGather(_ bytes: [UInt8]) -> [[UInt8]] {
      var all = [UInt8](repeating: 0, count: bytes.count * count)
      // SAFETY: the call reads `bytes.count` bytes and writes as many for each rank.
      unsafe surgeon_mpi_all_gather(bytes, &all, Int32(bytes.count))
      return (0..<count).map { Array(all[$0 * bytes.count..<($0 + 1) * bytes.count]) }
    }

    func exchange(_ pieces: [Float]) -> [Float] {
      precondition(pieces.count.isMultiple(of: count), "a piece for each rank")
      var received = [Float](repeating: 0, count: pieces.count)
      // SAFETY: the call reads and writes `pieces.count` numbers, the same share for each rank.
      unsafe surgeon_mpi_all_to_all(pieces, &received, Int32(pieces.count / count))
      return received
    }

    func collect(_ numbers: [Float]) -> [Float] {
      var all = [Float](repeating: 0, count: isFirst ? numbers.count * count : 0)
      // SAFETY: the call reads `numbers.count` numbers, and writes as many for each rank on the
      // first one alone.
      unsafe surgeon_mpi_gather(numbers, &all, Int32(numbers.count))
      return all
    }

    func abort() { surgeon_mpi_abort(1) }
  }
#endif

/// The processes that this one was started with.
package enum MessagePassing {
  /// Joins them; once in a process, on its main thread.
  ///
  /// - Returns: The ranks; nil in a program that was built without MPI.
  package static func join() -> (any RankGroup)? {
    #if MPI
      MPIWorld()
    #else
      nil
    #endif
  }

  /// Parts from the others when the work is done.
  package static func leave() {
    #if MPI
      surgeon_mpi_end()
    #endif
  }
}
