import Foundation

/// The number of processors that are active for this process.
func coreCount() -> Int { ProcessInfo.processInfo.activeProcessorCount }
